"""Tags of members: put on one by one, taken off by an action, never edited."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import actor_of
from benefits.models import MemberTag
from zone.core.clock import database_now


@admin.register(MemberTag)
class MemberTagAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Many members at once are a segment; a tag says something of one."""

    list_display = ("member", "tag", "added_by", "added_at")
    list_filter = ("tag",)
    list_select_related = ("member",)
    search_fields = ("=tag", "=member__public_id")
    ordering = ("-id",)
    raw_id_fields = ("member",)
    fields = ("member", "tag", "added_by", "added_at")
    readonly_fields = ("added_by", "added_at")
    actions = ("take_off",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Taking off is the action below, which editors may use.

    def save_model(self, request: HttpRequest, obj: MemberTag, form: Any, change: bool) -> None:
        obj.added_by, obj.added_at = actor_of(request), database_now()
        super().save_model(request, obj, form, change)

    @admin.action(description=gettext_lazy("Take the tag off"), permissions=["change"])
    def take_off(self, request: HttpRequest, rows: QuerySet[MemberTag]) -> None:
        gone, _rows = rows.delete()
        messages.success(request, _("Taken off: %(count)s.") % {"count": gone})
