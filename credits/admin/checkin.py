"""The check-in track as operators edit it, and members' days for support."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from credits.admin.books import members_named
from credits.models import CheckIn, CheckInTrack, Streak
from zone.members.admin.base import ReadOnlyAdmin


@admin.register(CheckInTrack)
class CheckInTrackAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A change counts from the next tap on; days that were counted keep what they gave."""

    list_display = ["name", "rewards", "margin_hours", "shield_every", "shields_max", "is_active"]


class MemberRowsAdmin(ReadOnlyAdmin):
    """Rows of members, found by whatever id an operator has."""

    show_full_result_count = False
    list_select_related = ["member"]
    search_fields = ["=member"]

    def get_search_results(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(member_id__in=members_named(term)) if term else queryset), False


@admin.register(Streak)
class StreakAdmin(MemberRowsAdmin):
    list_display = ["member", "length", "longest", "shields", "last_on", "zone", "tapped_at"]


@admin.register(CheckIn)
class CheckInAdmin(MemberRowsAdmin):
    list_display = ["member", "on", "how", "streak", "credits", "zone", "created_at"]
    list_filter = ["how"]
