"""Tier plans as operators edit them; where members stand, for support."""

from django.contrib import admin

from credits.admin.checkin import MemberRowsAdmin
from credits.models import MemberTier, Tier, TierMove, TierPlan


class TierInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Tier
    extra = 0


@admin.register(TierPlan)
class TierPlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Members are measured by the plan in force from its next reading on."""

    list_display = ["name", "period", "months", "grace_days", "is_active"]
    inlines = [TierInline]


@admin.register(MemberTier)
class MemberTierAdmin(MemberRowsAdmin):
    list_display = ["member", "tier", "changes_on", "computed_at"]
    list_select_related = ["member", "tier"]
    list_filter = ["tier"]


@admin.register(TierMove)
class TierMoveAdmin(MemberRowsAdmin):
    list_display = ["member", "from_code", "to_code", "is_up", "earned", "moved_at"]
    list_filter = ["is_up", "to_code"]
