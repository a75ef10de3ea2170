"""The boards of what could not be placed: messages without a user, messages that were refused."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from zone.history.models import RejectedMessage, UnlinkedMessage
from zone.history.services.reviewing import mark_reviewed
from zone.members.admin.base import ReadOnlyAdmin
from zone.partners.ingest_clients import IngestClient


@admin.register(UnlinkedMessage)
class UnlinkedMessageAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "wallet", "path", "reference", "expires_at"]
    list_filter = ["wallet", "path"]
    search_fields = ["reference__startswith"]
    list_select_related = ["wallet"]
    show_full_result_count = False
    ordering = ["-id"]


class ReviewedFilter(admin.SimpleListFilter):
    title = _("reviewed")
    parameter_name = "reviewed"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", str(_("not yet"))), ("yes", str(_("reviewed")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "no":
            return queryset.filter(reviewed_at__isnull=True)
        if self.value() == "yes":
            return queryset.filter(reviewed_at__isnull=False)
        return queryset


@admin.register(RejectedMessage)
class RejectedMessageAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "wallet", "outcome", "path", "reference", "reason",
                    "reviewed_by"]  # fmt: skip
    list_filter = ["outcome", ReviewedFilter, "wallet"]
    search_fields = ["reference__startswith"]
    list_select_related = ["wallet"]
    show_full_result_count = False
    ordering = ["-received_at", "-id"]
    actions = ["mark_reviewed"]

    @admin.action(description=_("Mark as reviewed"), permissions=["review"])
    def mark_reviewed(self, request: HttpRequest, queryset: QuerySet) -> None:
        count = mark_reviewed(list(queryset.values_list("pk", flat=True)),
                              actor=f"operator:{request.user.get_username()}")  # fmt: skip
        self.message_user(
            request,
            ngettext("%d message marked as reviewed.", "%d messages marked as reviewed.", count)
            % count,
            messages.SUCCESS,
        )

    def has_review_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("history.change_rejectedmessage")


@admin.register(IngestClient)
class IngestClientAdmin(admin.ModelAdmin):
    """Whose signatures the ingest door believes. A row is closed, never deleted."""

    list_display = ["client_id", "wallet_code", "key_version", "is_active", "created_at"]
    list_filter = ["wallet_code", "is_active"]
    search_fields = ["client_id"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: IngestClient | None = None
    ) -> list[str]:
        return ["client_id", "wallet_code", "key_version", "public_key"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: IngestClient | None = None) -> bool:
        return False
