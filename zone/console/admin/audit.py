"""The audit log and the books' checks: read, never written by hand."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from zone.console.models import AuditEvent, BooksCheck
from zone.core.readonly import ReadOnly


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):
    """A table that operators read and nobody edits."""


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["id", "at", "actor", "action", "object_type", "object_name", "address"]
    list_filter = ["action", "object_type"]
    search_fields = ["=actor", "=object_id", "=request_id"]
    search_help_text = _("Operator as operator:name, an object's id, or a request id")
    date_hierarchy = "at"
    list_display_links = ["id", "at"]


@admin.register(BooksCheck)
class BooksCheckAdmin(ReadOnlyAdmin):
    list_display = ["requested_at", "status", "checked_count", "finished_at", "requested_by"]
    list_filter = ["status"]
