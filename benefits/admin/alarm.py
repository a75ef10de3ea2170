from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import actor_of, each_row
from benefits.models import Alarm
from benefits.services.alarms import settle_alarm
from zone.core.clock import database_now


@admin.register(Alarm)
class AlarmAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What somebody must look at; settled by whoever did."""

    list_display = ("kind", "subject", "count", "first_at", "last_at", "settled_at", "settled_by")
    list_filter = ("kind", ("settled_at", admin.EmptyFieldListFilter))
    search_fields = ("=subject",)
    fields = (
        "kind", "subject", "facts", "count", "first_at", "last_at", "settled_at", "settled_by",
        "told_at", "tell_at", "tell_attempts", "tell_fault",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("settle",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=gettext_lazy("Looked at"), permissions=["change"])
    def settle(self, request: HttpRequest, rows: QuerySet[Alarm]) -> None:
        each_row(
            request,
            rows,
            lambda row: settle_alarm(row, actor=actor_of(request), now=database_now()),
            _("Settled: %(count)s."),
        )
