"""Units held for a partner's checkout: looked up here, never typed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from benefits.models import StockHold
from benefits.services.holds import status_of
from zone.core.clock import database_now
from zone.core.readonly import ReadOnly


@admin.register(StockHold)
class StockHoldAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("public_id", "external_id", "benefit", "status", "held_until", "created_at")
    list_filter = ("entry__state", "livemode")
    search_fields = ("=public_id", "=external_id", "=entry__member__public_id")
    ordering = ("-id",)
    fields = (
        "public_id", "external_id", "partner_id", "livemode", "benefit", "status", "held_until",
        "created_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockHold]:
        rows: QuerySet[StockHold] = super().get_queryset(request)
        return rows.select_related("entry__release__benefit")

    @admin.display(description=gettext_lazy("benefit"))
    def benefit(self, hold: StockHold) -> str:
        return str(hold.entry.release.benefit)

    @admin.display(description=gettext_lazy("status"))
    def status(self, hold: StockHold) -> str:
        return status_of(hold, now=database_now())

    @admin.display(description=gettext_lazy("held until"))
    def held_until(self, hold: StockHold) -> Any:
        return hold.entry.offered_until
