from django.contrib import admin

from benefits.models import Trial
from zone.core.readonly import ReadOnly


@admin.register(Trial)
class TrialAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Trials are looked up; the feed and the clock move them."""

    list_display = ("claim", "member", "service", "first_charge_at", "state", "lead_days")
    list_filter = ("state", "service")
    list_select_related = ("claim", "member")
    search_fields = ("=claim__public_id", "=member__public_id")
    ordering = ("-id",)
    fields = (
        "claim", "member", "service", "plan", "starts_at", "first_charge_at", "price", "currency",
        "lead_days", "state", "subscription", "is_canceled", "next_attempt_at", "reminded_at",
        "closed_at", "charged",
    )  # fmt: skip
    readonly_fields = fields
