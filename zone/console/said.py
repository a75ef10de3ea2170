"""How an operator reads what a page does not let them change.

Facts kept as JSON are names and values, without braces. A row of another table is a link only for
who may open it. Money has its sign and its decimals, in lists as well.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, JSONField, Model
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from zone.core.money import EXPONENT, format_money

# Columns of money in minor units, and the column that says of which currency.
MONEY = {
    "benefits.benefit": {"unit_cost": "unit_cost_currency"},
    "benefits.budget": {"amount": "currency", "spent": "currency"},
    "benefits.bundleitem": {"least_spent": "bundle.currency"},
    "benefits.redemption": {
        "order_amount": "order_currency", "discount": "currency", "discount_back": "currency",
    },
    "benefits.stampboard": {"minimum_amount": "currency"},
    "benefits.trial": {"price": "currency", "charged": "currency"},
    "credits.earnbonus": {"minimum_amount": "currency"},
    "credits.earnrule": {"minimum_amount": "currency", "unit_amount": "currency"},
    "credits.mission": {"target": "currency"},
    "credits.unitcost": {"per_thousand": "currency"},
    "history.charge": {
        "amount": "currency", "refunded": "currency", "subscription_amount": "currency",
        "app_amount": "currency",
    },
    "history.pricepoint": {"price": "currency"},
    "history.refund": {"amount": "currency"},
    "history.subscription": {"price": "currency"},
}  # fmt: skip
# What is money in some rows alone: the column that says so, and what it says then.
MONEY_WHEN = {("credits.mission", "target"): ("metric", "amount")}
# Facts whose kind says which of them are money.
_DETAIL = ("benefits.benefit", "detail")
Column = str | Callable[..., Any]
MayOpen = Callable[[type[Model]], bool]


def say(value: Any) -> SafeString:
    """Nested names and values; a list of plain values on one line."""
    if isinstance(value, dict) and value:
        rows = ((_called(str(name)), say(inner)) for name, inner in value.items())
        return format_html(
            '<dl class="said">{}</dl>',
            format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows),
        )
    if isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        items = ((say(inner),) for inner in value)
        return format_html('<ol class="said">{}</ol>', format_html_join("", "<li>{}</li>", items))
    if isinstance(value, list) and value:
        return conditional_escape(", ".join(str(inner) for inner in value))
    if isinstance(value, bool):
        return conditional_escape(_("yes") if value else _("no"))
    return conditional_escape("–" if value in (None, "", {}, []) else str(value))


def _called(name: str) -> str:
    """A fact's name in the reader's language, where a column or a word of ours is called so too."""
    name = name.replace("_", " ").strip()
    return _(name) if name else "–"


def name_columns(model: type[Model]) -> None:
    """Let a column that was given no name be called by its own one in the reader's language.

    What Django calls it by is a plain text made of the attribute, the same in every language.
    The migrations do not see this: they know the name that was given, which is none.
    """
    for column in model._meta.fields:
        if isinstance(column.verbose_name, str):
            column.verbose_name = gettext_lazy(column.verbose_name)


def say_money(value: int | None, currency: str) -> str:
    """An amount in minor units with its sign; as it is where no currency is known."""
    if value is None or currency not in EXPONENT:
        return "–" if value is None else str(value)
    return format_money(value, currency, get_language() or "en")


def currency_of(row: Model, path: str) -> str:
    """The currency of a row's amount, in a column of its own or of the row it belongs to."""
    found: Any = row
    for name in path.split("."):
        found = getattr(found, name, None)
    return str(found or "")


def money_read(names: Iterable[Any], model: type[Model], *, left: Iterable[Any] = ()) -> list[Any]:
    """The columns of a list, with money in words; those in `left` are inputs there."""
    columns = MONEY.get(model._meta.label_lower, {})
    return [
        _money_reader(model, name)
        if isinstance(name, str) and name in columns and name not in left
        else name
        for name in names
    ]


def as_read(
    names: Iterable[Any], model: type[Model], *, read_only: set[Any] | None, may_open: MayOpen
) -> list[Any]:
    """`names` of columns, with a reader in the place of those that read badly by themselves.

    `read_only` names what cannot be changed on this page; None when nothing can.
    """
    found: list[Any] = []
    for name in names:
        if isinstance(name, str):
            is_read = read_only is None or name in read_only
            found.append((_reader_of(name, model, may_open) if is_read else None) or name)
        elif isinstance(name, Sequence):  # Several columns on one line of the form.
            found.append(tuple(as_read(name, model, read_only=read_only, may_open=may_open)))
        else:
            found.append(name)
    return found


def _reader_of(name: str, model: type[Model], may_open: MayOpen) -> Column | None:
    try:
        column = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None  # A method of the admin class.
    if name in MONEY.get(model._meta.label_lower, {}):
        return _money_reader(model, name)
    if (model._meta.label_lower, name) == _DETAIL:
        return _detail_reader(model, name)
    if isinstance(column, JSONField):
        return _reader(model, name)
    if isinstance(column, ForeignKey) and not may_open(column.related_model):
        return _reader(model, name)
    return None


class _Reader:
    """A column in words, in the manner of the functions that Django takes for a column."""

    def __init__(self, model: type[Model], name: str) -> None:
        self.__name__ = name
        self.short_description = model._meta.get_field(name).verbose_name

    def __call__(self, row: Model) -> SafeString:
        return say(getattr(row, self.__name__))

    def __str__(self) -> str:
        return self.__name__  # Names the cell in the page's markup.


class _MoneyReader(_Reader):
    """The same for an amount, which its column holds in minor units."""

    def __init__(self, model: type[Model], name: str) -> None:
        super().__init__(model, name)
        self.admin_order_field = name
        self.currency = MONEY[model._meta.label_lower][name]
        self.when = MONEY_WHEN.get((model._meta.label_lower, name))

    def __call__(self, row: Model) -> SafeString:
        value = getattr(row, self.__name__)
        if self.when is not None and getattr(row, self.when[0]) != self.when[1]:
            return say(value)
        return conditional_escape(say_money(value, currency_of(row, self.currency)))


class _DetailReader(_Reader):
    """What a kind of benefit asks for, with its amounts in words."""

    def __call__(self, row: Model) -> SafeString:
        facts = dict(getattr(row, self.__name__))
        for name, currency in row.kind_facts.money.items():  # type: ignore[attr-defined]
            if isinstance(facts.get(name), int):
                facts[name] = say_money(facts[name], facts.get(currency, ""))
        return say(facts)


@cache
def _detail_reader(model: type[Model], name: str) -> _Reader:
    return _DetailReader(model, name)


@cache
def _money_reader(model: type[Model], name: str) -> Column:
    return _MoneyReader(model, name)


@cache  # A form knows a column by its reader, so there is one for each.
def _reader(model: type[Model], name: str) -> _Reader:
    return _Reader(model, name)
