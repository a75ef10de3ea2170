from django.contrib import admin

from benefits.models import Gift
from zone.core.readonly import ReadOnly


@admin.register(Gift)
class GiftAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Gifts are looked up, never typed. What is to be stopped is stopped by revoking its claim."""

    list_display = ("public_id", "giver", "receiver", "state", "deliver_at", "created_at")
    list_filter = ("state", "theme")
    list_select_related = ("giver", "receiver")
    search_fields = (
        "public_id", "=claim__public_id", "=received_claim__public_id", "=giver__public_id",
        "=receiver__public_id",
    )  # fmt: skip
    ordering = ("-id",)
    # The words are between two people, and the link is the giver's: neither is shown.
    fields = (
        "public_id", "claim", "received_claim", "giver", "receiver", "state", "theme",
        "deliver_at", "time_zone", "returns_at", "next_attempt_at", "frozen_at",
        "claim_valid_until", "sent_on", "nth", "created_at", "delivered_at", "opened_at",
        "closed_at", "thanked_at",
    )  # fmt: skip
    readonly_fields = fields
