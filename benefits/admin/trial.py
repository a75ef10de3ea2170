from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from benefits.models import Trial


@admin.register(Trial)
class TrialAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
