"""What every table in the console has in common, whichever room registered it.

Mixed in front of each admin class at registration: changes go to the audit log with before and
after, an operator of some wallets sees and changes nothing of another (see `zone.console.scopes`),
and long lists are never counted in full.
"""

from contextlib import suppress
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import connection, transaction
from django.db.models import Field, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from zone.console.amounts import with_money
from zone.console.said import as_read, money_read, name_columns
from zone.console.scopes import has_reach, in_reach, in_scope, list_wallet_codes
from zone.console.services import audit
from zone.console.titles import title_of

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


class ReadInWords:
    """What cannot be changed on a page is put in words, see `zone.console.said`."""

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        names = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return self._as_read(request, names, None)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        read_only = None
        if self._is_edited(request, obj):
            read_only = set(super().get_readonly_fields(request, obj))  # type: ignore[misc]
        return [
            (title, {**shown, "fields": self._as_read(request, shown["fields"], read_only)})
            for title, shown in super().get_fieldsets(request, obj)  # type: ignore[misc]
        ]

    def _is_edited(self, request: HttpRequest, obj: Model | None) -> bool:
        """A form that adds a row, or changes one; rows inside another's form may do both."""
        if self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            return True
        if isinstance(self, InlineModelAdmin):
            return self.has_add_permission(request, obj)
        return obj is None

    def _as_read(self, request: HttpRequest, names: Any, read_only: set[Any] | None) -> list[Any]:
        def may_open(model: type[Model]) -> bool:
            known = self.admin_site._registry.get(model)  # type: ignore[attr-defined]
            return known is None or known.has_view_or_change_permission(request)

        return as_read(names, self.model, read_only=read_only, may_open=may_open)  # type: ignore[attr-defined]


class OwnChoices:
    """A form offers, and takes, no row that its operator may not see."""

    def formfield_for_foreignkey(
        self, field: "Field[Any, Any]", request: HttpRequest, **options: Any
    ) -> Any:
        return super().formfield_for_foreignkey(field, request, **_limited(field, request, options))  # type: ignore[misc]

    def formfield_for_manytomany(
        self, field: "Field[Any, Any]", request: HttpRequest, **options: Any
    ) -> Any:
        return super().formfield_for_manytomany(field, request, **_limited(field, request, options))  # type: ignore[misc]


def _limited(
    field: "Field[Any, Any]", request: HttpRequest, options: dict[str, Any]
) -> dict[str, Any]:
    if list_wallet_codes(request.user) is None:
        return options
    offered = options.get("queryset")
    if offered is None:
        offered = field.related_model._default_manager.all()  # type: ignore[union-attr]
    return {**options, "queryset": in_scope(offered, request.user)}


class ForTheseWallets:
    """Mixed into the form of an operator of some wallets: what they write is for those alone."""

    wallet_codes: list[str]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "wallet" in self.fields:  # type: ignore[attr-defined]
            self.fields["wallet"].required = True  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data  # type: ignore[misc,attr-defined]
        named = values.get("wallets")
        if named is not None and not (named and set(named) <= set(self.wallet_codes)):
            text = _("Name wallets of yours: %(wallets)s.")
            fault = ValidationError(text % {"wallets": ", ".join(self.wallet_codes)})
            self.add_error("wallets", fault)  # type: ignore[attr-defined]
        return values


def _for_wallets_of(request: HttpRequest, form: Any) -> Any:
    codes = list_wallet_codes(request.user)
    if codes is None:
        return form
    return type(form.__name__, (ForTheseWallets, form), {"wallet_codes": codes})


class ReadInlineInWords(OwnChoices, ReadInWords):
    """The same for the rows inside another row's page."""

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **options: Any) -> Any:
        if "fields" not in options:
            columns = flatten_fieldsets(self.get_fieldsets(request, obj))
            options["fields"] = [column for column in columns if isinstance(column, str)]
        formset = super().get_formset(request, obj, **options)  # type: ignore[misc]
        formset.form = with_money(formset.form)
        return formset


@cache
def _mannered(inline: type[InlineModelAdmin]) -> type[InlineModelAdmin]:
    name_columns(inline.model)
    return type(inline.__name__, (ReadInlineInWords, inline), {"__module__": inline.__module__})


class ConsoleManners(OwnChoices, ReadInWords):
    """Mixed into each ModelAdmin by `ConsoleSite.register`."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return in_scope(super().get_queryset(request), request.user)  # type: ignore[misc]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        """The row; what is about to be saved is read under a lock.

        Saving a form writes every column. Without the lock it would write back what claims, imports
        and colleagues have changed since it was read.
        """
        if request.method == "POST" and connection.in_atomic_block:
            self._hold(request, [unquote(object_id)])
        found: Model | None = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        return found

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list; rows that are changed in it are read under a lock as well."""
        if request.method != "POST" or "_save" not in request.POST:
            return super().changelist_view(request, extra_context)  # type: ignore[misc, no-any-return]
        name = self.opts.pk.name  # type: ignore[attr-defined]
        keys = [
            value
            for field, value in request.POST.items()
            if field.startswith("form-") and field.endswith(f"-{name}")
        ]
        with transaction.atomic():
            self._hold(request, keys)
            return super().changelist_view(request, extra_context)  # type: ignore[misc, no-any-return]

    def _hold(self, request: HttpRequest, keys: list[str]) -> None:
        if not self.opts.managed or not self.has_change_permission(request):  # type: ignore[attr-defined]
            return  # Nothing will be saved.
        rows = self.model._base_manager.select_for_update(no_key=True)  # type: ignore[attr-defined]
        with suppress(ValidationError, ValueError):  # No key of this table: there is no such row.
            list(rows.filter(pk__in=keys).order_by("pk").values_list("pk"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and has_reach(self.model, request.user)  # type: ignore[misc,attr-defined]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        may = bool(super().has_change_permission(request, obj))  # type: ignore[misc]
        return may and self._reaches(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        may = bool(super().has_delete_permission(request, obj))  # type: ignore[misc]
        return may and self._reaches(request, obj)

    def may_act_on(self, request: HttpRequest, key: Any) -> bool:
        """Whether the row with this key is the operator's to change, as far as wallets say."""
        if list_wallet_codes(request.user) is None:
            return True
        rows = self.model._base_manager.all()  # type: ignore[attr-defined]
        try:
            return bool(in_reach(rows, request.user).filter(pk=key).exists())
        except (ValueError, ValidationError):
            return False  # That is no key.

    def _reaches(self, request: HttpRequest, obj: Model | None) -> bool:
        if obj is None or obj.pk is None:
            return has_reach(self.model, request.user)  # type: ignore[attr-defined]
        return self.may_act_on(request, obj.pk)

    def _refuse_outside(self, request: HttpRequest, obj: Model) -> None:
        """Undo what was just stored when it is not the operator's: the whole request is undone."""
        if not self._reaches(request, obj):
            raise PermissionDenied

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **options)  # type: ignore[misc]
        return _for_wallets_of(request, with_money(form))

    def form_of(self, request: HttpRequest, verb: Any) -> Any:
        """The form behind a button of `VerbsAdmin`, by the same measure as the row's own."""
        return _for_wallets_of(request, super().form_of(request, verb))  # type: ignore[misc]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        names = super().get_list_display(request)  # type: ignore[misc]
        inputs = self.list_editable  # type: ignore[attr-defined]
        return money_read(names, self.model, left=inputs)  # type: ignore[attr-defined]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """A row's page is called by a name an operator can use, see `zone.console.titles`."""
        if (row := context.get("original")) is not None:
            context["subtitle"] = title_of(row)
        return super().render_change_form(request, context, *args, **options)  # type: ignore[misc, no-any-return]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if not has_reach(self.model, request.user):  # type: ignore[attr-defined]
            return {}
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        return actions

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> list[Any]:
        return [_mannered(inline) for inline in super().get_inlines(request, obj)]  # type: ignore[misc]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the audit log says of this row: Django's own log of it is not written here."""
        row = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if row is None:
            return super().history_view(request, object_id, extra_context)  # type: ignore[misc]
        if not request.user.has_perm("console.view_auditevent"):
            raise PermissionDenied
        query = {"object_type": self.opts.label_lower, "object_id": str(row.pk)}  # type: ignore[attr-defined]
        log = reverse("admin:console_auditevent_changelist")
        return HttpResponseRedirect(f"{log}?{urlencode(query)}")

    def save_form(self, request: HttpRequest, form: ModelForm, change: bool) -> Model:
        if change:
            stored = form._meta.model._base_manager.get(pk=form.instance.pk)
            _snapshots(request)[stored.pk] = audit.snapshot(stored)
        return super().save_form(request, form, change)  # type: ignore[misc]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._refuse_outside(request, obj)
        audit.record_deed(request, audit.Deed("added", obj, after=audit.snapshot(obj)))
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._refuse_outside(request, obj)
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
        reached = self._reached(request, queryset, chosen)
        return super().response_action(request, reached)  # type: ignore[misc]

    def _reached(
        self, request: HttpRequest, rows: QuerySet[Any], chosen: list[str]
    ) -> QuerySet[Any]:
        """What of the list an action may touch; how many chosen rows it may not is said."""
        reached = in_reach(rows, request.user)
        if list_wallet_codes(request.user) is None or not chosen:
            return reached
        left = len(set(chosen)) - reached.filter(pk__in=chosen).count()
        if left > 0:
            text = _("Left out, being for other wallets too: %(count)s.")
            messages.warning(request, text % {"count": left})
        return reached


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
