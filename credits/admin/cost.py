"""What credits cost, as finance sets it: the liability is counted with it."""

from django.contrib import admin

from credits.models import UnitCost


@admin.register(UnitCost)
class UnitCostAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["currency", "funder", "per_thousand", "starts_on"]
    list_filter = ["currency", "funder"]
