from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from zone.core import clock
from zone.members.admin.base import ReadOnlyAdmin, ReadOnlyInline, member_ids_for
from zone.members.models import Binding, Consent, Erasure, Member, MemberSession
from zone.members.services import standing
from zone.members.services.erasures import ask_to_erase, call_erasure_off


class BindingInline(ReadOnlyInline):
    model = Binding
    fields = ["public_id", "status", "failure_reason", "bound_at", "unbound_at", "valid_until"]
    readonly_fields = fields
    ordering = ["-id"]


class ConsentInline(ReadOnlyInline):
    model = Consent
    fields = ["purpose", "policy_version", "language", "given_at", "withdrawn_at"]
    readonly_fields = fields
    ordering = ["-id"]


class SessionInline(ReadOnlyInline):
    model = MemberSession
    fields = ["device", "host", "created_at", "seen_at", "revoked_at"]
    readonly_fields = fields
    ordering = ["-id"]


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """One member, found by any id an operator may be told, with buttons for what helps."""

    list_display = ["public_id", "wallet", "status", "storefront", "language", "joined_at"]
    list_filter = ["wallet", "status"]
    list_select_related = ["wallet"]
    search_fields = ["=public_id"]
    search_help_text = _("Member id, a partner’s id for the member, or the wallet’s user id")
    ordering = ["-id"]
    fields = [
        "public_id", "timeline", "wallet", "status", "storefront", "language", "time_zone",
        "is_adult", "joined_at", "first_signed_in_at", "frozen_at",
    ]  # fmt: skip
    readonly_fields = ["timeline"]
    inlines = [BindingInline, ConsentInline, SessionInline]
    actions = ["suspend", "reactivate", "end_sessions", "erase", "keep"]

    @admin.display(description=_("timeline"))
    def timeline(self, member: Member) -> str:
        try:
            address = reverse("admin:member_timeline", args=[member.public_id])
        except NoReverseMatch:
            return ""
        return format_html('<a href="{}">{}</a>', address, _("Everything about this member"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        term = search_term.strip()
        found, may_repeat = super().get_search_results(request, queryset, term)
        if not term:
            return found, may_repeat
        return found | queryset.filter(pk__in=member_ids_for(term)), may_repeat

    @admin.action(description=_("Pause and sign out everywhere"), permissions=["help"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._each(request, queryset, standing.suspend_member, _("paused"), _("was not active"))

    @admin.action(description=_("Let go on"), permissions=["help"])
    def reactivate(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._each(request, queryset, standing.reactivate_member, _("goes on"), _("was not paused"))

    @admin.action(description=_("Sign out everywhere"), permissions=["help"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._each(
            request, queryset, standing.sign_out_everywhere, _("signed out"), _("was not signed in")
        )

    @admin.action(description=_("Delete in fifteen days"), permissions=["help"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._each(
            request, queryset, ask_to_erase, _("will be deleted"), _("is being deleted already")
        )

    @admin.action(description=_("Call a deletion off"), permissions=["help"])
    def keep(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._each(request, queryset, call_erasure_off, _("stays"), _("was not to be deleted"))

    def _each(
        self,
        request: HttpRequest,
        members: QuerySet[Member],
        service: Any,
        done: Any,
        refused: Any,
    ) -> None:
        """One service call a row; what was done and what was refused, by name."""
        actor, now = f"operator:{request.user.get_username()}", clock.now()
        for member in members:
            is_done = bool(service(member=member, actor=actor, now=now))
            self.message_user(
                request,
                f"{done if is_done else refused}: {member.public_id}",
                messages.SUCCESS if is_done else messages.WARNING,
            )


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    """Who asked to be forgotten, and which rooms are through."""

    list_display = [
        "member", "requested_at", "requested_by", "due_at", "canceled_at", "begun_at",
        "rooms_done", "done_at",
    ]  # fmt: skip
    list_filter = [
        ("canceled_at", admin.EmptyFieldListFilter), ("done_at", admin.EmptyFieldListFilter),
    ]  # fmt: skip
    list_select_related = ["member"]
    search_fields = ["=member__public_id"]
    search_help_text = _("Member id")


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ["member", "purpose", "policy_version", "language", "given_at", "withdrawn_at"]
    list_filter = ["purpose", "policy_version"]
    list_select_related = ["member"]
    search_fields = ["=member__public_id"]
    search_help_text = _("Member id")
    ordering = ["-id"]


@admin.register(MemberSession)
class MemberSessionAdmin(ReadOnlyAdmin):
    list_display = ["id", "member", "device", "host", "created_at", "seen_at", "revoked_at"]
    list_filter = ["host"]
    list_select_related = ["member"]
    search_fields = ["=member__public_id"]
    search_help_text = _("Member id")
    ordering = ["-id"]
    actions = ["end"]

    @admin.action(description=_("End these sessions"), permissions=["help"])
    def end(self, request: HttpRequest, queryset: QuerySet[MemberSession]) -> None:
        actor, now = f"operator:{request.user.get_username()}", clock.now()
        done, refused = _("ended"), _("had ended already")
        for session in queryset.select_related("member"):
            is_done = standing.end_one_session(session=session, actor=actor, now=now)
            self.message_user(
                request,
                f"{done if is_done else refused}: {session}",
                messages.SUCCESS if is_done else messages.WARNING,
            )
