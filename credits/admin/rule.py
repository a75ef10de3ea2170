from django.contrib import admin

from credits.models import EarnRule


@admin.register(EarnRule)
class EarnRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What purchases earn. A change counts for charges credited from then on."""

    list_display = [
        "name", "kind", "currency", "unit_amount", "credits", "rounding", "starts_at", "ends_at",
        "is_active",
    ]  # fmt: skip
    list_filter = ["currency", "is_active"]
