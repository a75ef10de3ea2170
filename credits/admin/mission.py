"""Missions as operators write them, and members' progress for support."""

from django.contrib import admin

from credits.admin.checkin import MemberRowsAdmin
from credits.models import Mission, MissionProgress


@admin.register(Mission)
class MissionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["slug", "metric", "target", "period", "reward", "ends_at", "is_active"]
    list_filter = ["metric", "period", "is_active"]


@admin.register(MissionProgress)
class MissionProgressAdmin(MemberRowsAdmin):
    list_display = ["member", "mission", "period_on", "progress", "claimed_at", "updated_at"]
    list_select_related = ["member", "mission"]
    list_filter = ["mission"]
