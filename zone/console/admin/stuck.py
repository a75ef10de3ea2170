"""Rows that background work cannot get past: what they are, and another try."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from zone.core.clock import database_now
from zone.core.models import StuckRow
from zone.core.readonly import ReadOnly
from zone.core.stuck import try_now


@admin.register(StuckRow)
class StuckRowAdmin(ReadOnly, admin.ModelAdmin):
    """They leave the list by themselves once their work is done."""

    list_display = ["work", "row", "error", "count", "first_at", "last_at", "retry_at"]
    list_filter = ["work"]
    search_fields = ["=row"]
    actions = ["try_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.has_perm("core.change_stuckrow"))

    @admin.action(description=_("Try again now"), permissions=["retry"])
    def try_again(self, request: HttpRequest, rows: QuerySet[StuckRow]) -> None:
        count = try_now(rows, now=database_now())
        said = ngettext(
            "%(count)d row is tried again in the next round.",
            "%(count)d rows are tried again in the next round.",
            count,
        )
        messages.success(request, said % {"count": count})
