from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import ReadOnlyInline, Verb, VerbsAdmin, actor_of
from benefits.models import Claim, ClaimEvent, Redemption, Rescue
from benefits.queries import find_code
from benefits.services import bulk
from benefits.services.endings import (
    REVOKE_REASONS,
    reissue_claim,
    restore_claim,
    revoke_claim,
)
from benefits.services.silence import ask_again, give_up
from zone.core.clock import database_now

_RIGHT = "benefits.revoke_claim"


class RevokeForm(forms.Form):
    reason = forms.ChoiceField(
        choices=[(reason, reason) for reason in REVOKE_REASONS], label=gettext_lazy("Reason")
    )
    note = forms.CharField(max_length=200, required=False, label=gettext_lazy("Note"))
    gives_credits_back = forms.BooleanField(
        required=False, label=gettext_lazy("Give the credits back")
    )


def revoke(request: HttpRequest, claim: Claim, values: dict[str, Any]) -> str:
    revoke_claim(claim=claim, actor=actor_of(request), now=database_now(), **values)
    return _("The claim was taken away.")


class NoteForm(forms.Form):
    note = forms.CharField(max_length=200, required=False, label=gettext_lazy("Note"))


class GiveUpForm(forms.Form):
    is_certain = forms.BooleanField(
        label=gettext_lazy("The provider has confirmed that it never issued this")
    )


def restore(request: HttpRequest, claim: Claim, values: dict[str, Any]) -> str:
    restore_claim(claim=claim, actor=actor_of(request), now=database_now())
    return _("The claim is its owner's again.")


def reissue(request: HttpRequest, claim: Claim, values: dict[str, Any]) -> str:
    made = reissue_claim(claim=claim, actor=actor_of(request), now=database_now(), **values)
    return _("Replaced by %(claim)s.") % {"claim": made.public_id}


def ask(request: HttpRequest, claim: Claim, values: dict[str, Any]) -> str:
    ask_again(claim=claim, actor=actor_of(request), now=database_now())
    return _("The provider is being asked.")


def end(request: HttpRequest, claim: Claim, values: dict[str, Any]) -> str:
    give_up(claim=claim, actor=actor_of(request))
    return _("The claim failed and its credits are back.")


class RedemptionInline(ReadOnlyInline):
    model = Redemption
    fields = (
        "public_id", "status", "order_reference", "order_amount", "discount", "currency",
        "redeemed_at", "rolled_back_at", "rollback_reason", "actor",
    )  # fmt: skip
    readonly_fields = fields
    show_change_link = False


class RescueInline(ReadOnlyInline):
    model = Rescue
    fields = ("public_id", "kind", "at", "was_until", "is_until", "thanks")
    readonly_fields = fields
    show_change_link = False


class ClaimEventInline(ReadOnlyInline):
    model = ClaimEvent
    fields = ("at", "actor", "cause", "from_state", "to_state", "facts")
    readonly_fields = fields
    show_change_link = False


@admin.register(Claim)
class ClaimAdmin(VerbsAdmin):
    """Claims are looked up and, with the right to, taken away. Nothing is typed into them."""

    list_display = ("public_id", "member", "benefit", "state", "created_at", "valid_until")
    list_filter = ("state", "mode", "livemode")
    list_select_related = ("member", "benefit")
    search_fields = ("public_id", "=provider_reference", "=external_id", "=member__public_id")
    ordering = ("-id",)
    fields = (
        "public_id", "member", "benefit", "release", "slot", "nth", "state", "code_masked",
        "price_credits", "per_member", "terms", "mode", "replaces", "provider_status", "provider_reference",
        "attempts", "next_attempt_at", "lease_until", "created_at", "granted_at", "revealed_at",
        "redeemed_at", "ended_at", "valid_from", "valid_until", "failure_code", "external_id",
        "livemode",
    )  # fmt: skip
    readonly_fields = fields
    inlines = (RedemptionInline, RescueInline, ClaimEventInline)
    actions = ("revoke_many",)
    verbs = (
        Verb("revoke", gettext_lazy("Take it away"), _RIGHT, RevokeForm, revoke),
        Verb("restore", gettext_lazy("Give it back"), _RIGHT, forms.Form, restore),
        Verb("reissue", gettext_lazy("Replace it"), _RIGHT, NoteForm, reissue),
        Verb("ask", gettext_lazy("Ask the provider again"), _RIGHT, forms.Form, ask),
        Verb("give-up", gettext_lazy("Give it up"), _RIGHT, GiveUpForm, end),
    )

    def has_bulk_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("benefits.run_bulkjob")  # type: ignore[union-attr]

    @admin.action(
        description=gettext_lazy("Take away as issued in error, credits back (a job)"),
        permissions=["bulk"],
    )
    def revoke_many(self, request: HttpRequest, rows: QuerySet[Claim]) -> None:
        """Every claim chosen, also by "all of this filter", as rows of one job."""
        job = bulk.start_on_claims(
            verb=bulk.Verb.REVOKE,
            claims=Claim.objects.filter(pk__in=rows.order_by().values("pk")),
            source=request.META.get("QUERY_STRING", "") or "chosen claims",
            options={"reason": "issue_error", "note": "", "gives_credits_back": True},
            actor=actor_of(request),
            now=database_now(),
        )
        messages.success(
            request,
            _("Started: %(job)s, %(total)s rows.") % {"job": job.public_id, "total": job.total},
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Claim], search_term: str
    ) -> tuple[QuerySet[Claim], bool]:
        """A ticket is looked up by the number that its owner reads, too."""
        if search_term.startswith("ent_"):
            return queryset.filter(ticket_entry__public_id=search_term.strip()), False
        return super().get_search_results(request, queryset, search_term)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("code"))
    def code_masked(self, claim: Claim) -> str:
        code = find_code(claim)
        return str(code) if code else "–"
