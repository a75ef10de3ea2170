from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import each_row
from benefits.models import ProviderEnding
from benefits.services.provider_endings import ask_again
from zone.core.clock import database_now
from zone.core.readonly import ReadOnly


@admin.register(ProviderEnding)
class ProviderEndingAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What was taken away here and must end in its owner's wallet too; those still open first."""

    list_display = ("claim", "provider", "attempts", "outcome", "created_at", "next_attempt_at")
    list_filter = (("next_attempt_at", admin.EmptyFieldListFilter), "claim__release__provider")
    list_select_related = ("claim__release__provider",)
    search_fields = ("=claim__public_id",)
    ordering = (F("next_attempt_at").asc(nulls_last=True), "-created_at")
    fields = list_display
    readonly_fields = fields
    actions = ("try_again",)

    @admin.display(description=gettext_lazy("provider"), ordering="claim__release__provider")
    def provider(self, row: ProviderEnding) -> str:
        return str(row.claim.release.provider or "")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("benefits.revoke_claim")  # type: ignore[union-attr]

    @admin.action(description=gettext_lazy("Ask the provider again now"), permissions=["retry"])
    def try_again(self, request: HttpRequest, rows: QuerySet[ProviderEnding]) -> None:
        each_row(
            request,
            rows,
            lambda row: ask_again(ending=row, now=database_now()),
            _("Asked again in the next round: %(count)s."),
        )
