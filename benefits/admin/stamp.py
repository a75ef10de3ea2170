"""Stamp boards as operators write them, and members' stamps for support."""

from django.contrib import admin

from benefits.models import Stamp, StampBoard, StampChoice, StampSwap
from credits.admin.checkin import MemberRowsAdmin


class ChoiceInline(admin.TabularInline):  # type: ignore[type-arg]
    model = StampChoice
    raw_id_fields = ["benefit"]
    extra = 1


@admin.register(StampBoard)
class StampBoardAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A change of caps counts for stamps from then on; what was collected stays."""

    list_display = ["slug", "metric", "currency", "needed", "starts_at", "ends_at", "is_active"]
    list_filter = ["metric", "is_active", "livemode"]
    inlines = [ChoiceInline]


@admin.register(Stamp)
class StampAdmin(MemberRowsAdmin):
    list_display = ["member", "board", "source", "on", "swap", "voided_at", "created_at"]
    list_select_related = ["member", "board", "swap"]
    list_filter = ["board"]


@admin.register(StampSwap)
class StampSwapAdmin(MemberRowsAdmin):
    list_display = ["member", "board", "claim", "stamps", "created_at"]
    list_select_related = ["member", "board", "claim"]
    list_filter = ["board"]
