"""What every table in the console has in common, whichever room registered it.

Mixed in front of each admin class at registration: changes go to the audit log with before and
after, an operator sees only the wallets in their scope, and long lists are never counted in full.
"""

from functools import cached_property
from typing import Any

from django.contrib.admin import helpers
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from zone.console.said import as_read
from zone.console.scopes import in_scope
from zone.console.services import audit

COUNT_LIMIT = 10_000
_LISTED_IDS = 50


class CappedPaginator(Paginator):
    """Counts to ten thousand and no further: the page stays fast on twenty million rows."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by()[:COUNT_LIMIT].count()


class ConsoleManners:
    """Mixed into each ModelAdmin by `ConsoleSite.register`."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return in_scope(super().get_queryset(request), request.user)  # type: ignore[misc]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        names = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return self._as_read(request, names, None)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """What cannot be changed is put in words, see `zone.console.said`."""
        read_only = None
        if obj is None or self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            read_only = set(super().get_readonly_fields(request, obj))  # type: ignore[misc]
        return [
            (title, {**shown, "fields": self._as_read(request, shown["fields"], read_only)})
            for title, shown in super().get_fieldsets(request, obj)  # type: ignore[misc]
        ]

    def _as_read(self, request: HttpRequest, names: Any, read_only: set[Any] | None) -> list[Any]:
        def may_open(model: type[Model]) -> bool:
            known = self.admin_site._registry.get(model)  # type: ignore[attr-defined]
            return known is None or known.has_view_or_change_permission(request)

        return as_read(names, self.model, read_only=read_only, may_open=may_open)  # type: ignore[attr-defined]

    def save_form(self, request: HttpRequest, form: ModelForm, change: bool) -> Model:
        if change:
            stored = form._meta.model._base_manager.get(pk=form.instance.pk)
            _snapshots(request)[stored.pk] = audit.snapshot(stored)
        return super().save_form(request, form, change)  # type: ignore[misc]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        audit.record_deed(request, audit.Deed("added", obj, after=audit.snapshot(obj)))
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        before, after = audit.differences(_snapshots(request).pop(obj.pk, {}), audit.snapshot(obj))
        if isinstance(message, list) and (related := _related_changes(message)):
            after["related"] = related
        audit.record_deed(request, audit.Deed("changed", obj, before=before, after=after))
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            audit.record_deed(request, audit.Deed("deleted", row, before=audit.snapshot(row)))
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Run an action, after saying on the log that it was asked for and on which rows."""
        names = request.POST.getlist("action")
        chosen = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        name = next((name for name in names if name), "")
        if name and (chosen or request.POST.get("select_across") == "1"):
            is_all = request.POST.get("select_across") == "1"
            facts = {
                "kind": self.opts.label_lower,  # type: ignore[attr-defined]
                "count": queryset.count() if is_all else len(chosen),
                "ids": chosen[:_LISTED_IDS],
                "all_listed": is_all,
            }
            audit.record_deed(request, audit.Deed(f"action.{name}"[:60], after=facts))
        return super().response_action(request, queryset)  # type: ignore[misc]


def _snapshots(request: HttpRequest) -> dict[Any, dict[str, Any]]:
    if not hasattr(request, "audit_snapshots"):
        request.audit_snapshots = {}  # type: ignore[attr-defined]
    snapshots: dict[Any, dict[str, Any]] = request.audit_snapshots  # type: ignore[attr-defined]
    return snapshots


def _related_changes(message: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows changed beside the main one, from Django's own change message."""
    return [
        {verb: {key: str(value) for key, value in facts.items()}}
        for part in message
        for verb, facts in part.items()
        if isinstance(facts, dict) and "object" in facts
    ]
