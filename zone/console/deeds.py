"""How an operator reads the audit log: deeds, tables and columns by their names, rows by theirs."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from zone.console.models import AuditEvent
from zone.console.said import MONEY, say, say_money

WORDS = {
    "added": _("added a row"),
    "books.check": _("asked for a check of the books"),
    "changed": _("changed a row"),
    "deleted": _("deleted a row"),
    "factor.enrolled": _("set up a phone"),
    "factor.fresh": _("confirmed with a fresh code"),
    "factor.refused": _("entered a wrong code"),
    "log.checked": _("checked the audit log"),
    "member.unmasked": _("saw a member’s wallet id"),
    "signed_in": _("signed in"),
    "signed_out": _("signed out"),
    "submitted": _("sent a form"),
}
_ACTION = "action."


def say_action(action: str, kind: str = "") -> str:
    """A deed as it reads; a button of a list by what the button says."""
    if not action.startswith(_ACTION):
        return str(WORDS.get(action, action))
    name = action.removeprefix(_ACTION)
    for model, model_admin in admin.site._registry.items():
        button = getattr(model_admin, name, None)
        if kind in ("", model._meta.label_lower) and hasattr(button, "short_description"):
            return str(button.short_description)
    return name.replace("_", " ")


def say_kind(label: str) -> str:
    """The name of a table; what it was called when there is no such table any more."""
    model = _model(label)
    return str(model._meta.verbose_name) if model else label


def say_facts(event: AuditEvent, facts: dict[str, Any]) -> SafeString:
    """What a row held, by the names of its columns; rows it points to by their own names."""
    model = _model(event.object_type)
    if model is None:
        if "kind" in facts:
            facts = {**facts, "kind": say_kind(str(facts["kind"]))}
        return say(facts)
    return say({_column(model, name): _value(model, name, facts) for name in facts})


def _model(label: str) -> type[Model] | None:
    try:
        return apps.get_model(label) if label else None
    except LookupError:
        return None


def _column(model: type[Model], name: str) -> str:
    try:
        return str(getattr(model._meta.get_field(name), "verbose_name", name))
    except FieldDoesNotExist:
        return name


def _value(model: type[Model], name: str, facts: dict[str, Any]) -> Any:
    value = facts[name]
    try:
        column: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return value
    currency = MONEY.get(model._meta.label_lower, {}).get(name)
    if currency and isinstance(value, int) and facts.get(currency):
        return say_money(value, str(facts[currency]))
    if isinstance(column, ForeignKey) and value is not None:
        found = column.related_model._base_manager.filter(pk=value).first()
        return value if found is None else str(found)
    if getattr(column, "choices", None):
        return str(dict(column.flatchoices).get(value, value))
    return value
