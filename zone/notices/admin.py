from django.contrib import admin
from django.http import HttpRequest

from zone.notices.models import Notice


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):
    """What a member was told, for support. Written by the programme, never by hand."""

    list_display = ["created_at", "kind", "member", "read_at"]
    list_filter = ["kind"]
    search_fields = ["member__public_id__exact", "dedupe_key__exact"]
    list_select_related = ["member"]
    show_full_result_count = False
    ordering = ["-id"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False
