"""The audit log and the books' checks: read, never written by hand."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zone.console.deeds import say_action, say_facts, say_kind
from zone.console.models import AuditEvent, BooksCheck
from zone.console.services import audit
from zone.core.readonly import ReadOnly

_NUMBERS_SHOWN = 20


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):
    """A table that operators read and nobody edits."""


class _ColumnFilter(admin.SimpleListFilter):
    """The values that a column has, each by its name."""

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        rows = model_admin.get_queryset(request).order_by(self.parameter_name)
        found = rows.values_list(self.parameter_name, flat=True).distinct()
        return sorted(((each, self.said(each)) for each in found if each), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset

    def said(self, value: str) -> str:
        raise NotImplementedError


class ActionFilter(_ColumnFilter):
    title, parameter_name = _("deed"), "action"

    def said(self, value: str) -> str:
        return say_action(value)


class KindFilter(_ColumnFilter):
    title, parameter_name = _("kind of object"), "object_type"

    def said(self, value: str) -> str:
        return say_kind(value)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what, when and from where. That nobody wrote in it since is checked on demand."""

    change_list_template = "admin/console/auditevent/change_list.html"
    list_display = ["id", "at", "actor", "deed", "kind", "object_name", "address"]
    list_filter = [ActionFilter, KindFilter]
    search_fields = ["=actor", "=user__username", "=object_id", "=object_name", "=request_id"]
    search_help_text = _("An operator’s name, an object’s id, or a request id")
    date_hierarchy = "at"
    list_display_links = ["id", "at"]
    fields = [
        "id", "at", "actor", "deed", "kind", "object", "was", "became", "reason", "address",
        "request_id",
    ]  # fmt: skip
    readonly_fields = ["deed", "kind", "object", "was", "became"]

    def get_urls(self) -> list[URLPattern]:
        check = path(
            "check", self.admin_site.admin_view(self.check_log), name="console_auditevent_check"
        )
        return [check, *super().get_urls()]

    def check_log(self, request: HttpRequest) -> HttpResponse:
        """Whether each event is as it was written and follows the one before it, said at once."""
        if request.method != "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        broken = audit.list_broken_events()
        if broken:
            numbers = ", ".join(map(str, broken[:_NUMBERS_SHOWN]))
            text = gettext("Changed or cut off, by number: %(numbers)s.") % {"numbers": numbers}
            messages.error(request, text)
        else:
            text = gettext("All %(count)s events are as they were written; none is missing.")
            messages.success(request, text % {"count": AuditEvent.objects.count()})
        audit.record_deed(request, audit.Deed("log.checked", after={"broken": len(broken)}))
        return HttpResponseRedirect(reverse("admin:console_auditevent_changelist"))

    @admin.display(description=_("deed"), ordering="action")
    def deed(self, event: AuditEvent) -> str:
        return say_action(event.action, str(event.after.get("kind", "")))

    @admin.display(description=_("kind of object"), ordering="object_type")
    def kind(self, event: AuditEvent) -> str:
        return say_kind(event.object_type) or "–"

    @admin.display(description=_("object"))
    def object(self, event: AuditEvent) -> SafeString | str:
        """By its name, and where it can be looked at."""
        name = event.object_name or event.object_id or "–"
        label = event.object_type.replace(".", "_")
        try:
            address = reverse(f"admin:{label}_change", args=[event.object_id])
        except NoReverseMatch:
            return name
        return format_html('<a href="{}">{}</a>', address, name)

    @admin.display(description=_("before"))
    def was(self, event: AuditEvent) -> SafeString:
        return say_facts(event, event.before)

    @admin.display(description=_("after"))
    def became(self, event: AuditEvent) -> SafeString:
        return say_facts(event, event.after)


@admin.register(BooksCheck)
class BooksCheckAdmin(ReadOnlyAdmin):
    list_display = ["requested_at", "status", "checked_count", "finished_at", "requested_by"]
    list_filter = ["status"]
