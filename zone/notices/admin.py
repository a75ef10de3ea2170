from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from zone.core.readonly import ReadOnly
from zone.notices.announcing import send_announcement, stop_announcement
from zone.notices.models import Announcement, Notice


@admin.register(Notice)
class NoticeAdmin(ReadOnly, admin.ModelAdmin):
    """What a member was told, for support. Written by the programme, never by hand."""

    list_display = ["created_at", "kind", "member", "read_at"]
    list_filter = ["kind"]
    search_fields = ["member__public_id__exact", "dedupe_key__exact"]
    list_select_related = ["member"]
    show_full_result_count = False
    ordering = ["-id"]


@admin.register(Announcement)
class AnnouncementAdmin(admin.ModelAdmin):
    """Written as a draft, sent by whoever may; what was sent is not edited any more."""

    list_display = [
        "__str__", "purpose", "wallet", "publish_at", "state", "told_count", "finished_at",
    ]  # fmt: skip
    list_filter = ["state", "purpose", "wallet"]
    actions = ["send", "stop"]

    def has_change_permission(self, request: HttpRequest, obj: Announcement | None = None) -> bool:
        is_open = obj is None or obj.state == Announcement.State.DRAFT
        return is_open and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Announcement | None = None) -> bool:
        return False

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notices.send_announcement")

    @admin.action(description=_("Send"), permissions=["send"])
    def send(self, request: HttpRequest, rows: QuerySet[Announcement]) -> None:
        actor = f"operator:{request.user.get_username()}"
        for row in rows:
            if send_announcement(announcement=row, actor=actor):
                self.message_user(request, f"{row}: {_('is being sent')}", messages.SUCCESS)
            else:
                self.message_user(request, f"{row}: {_('was sent already')}", messages.WARNING)

    @admin.action(description=_("Stop"), permissions=["send"])
    def stop(self, request: HttpRequest, rows: QuerySet[Announcement]) -> None:
        for row in rows:
            if stop_announcement(announcement=row):
                self.message_user(request, f"{row}: {_('stopped')}", messages.SUCCESS)
            else:
                self.message_user(request, f"{row}: {_('was not being sent')}", messages.WARNING)
