"""Money as a person types it: "30.00" of a currency, kept as its minor units."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from zone.core.money import EXPONENT

BIGINT_MAX = 2**63 - 1
# Digits, by themselves or in groups of three, and decimals after a point.
_WRITTEN = re.compile(r"(?P<whole>[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.(?P<part>[0-9]+))?")
_TEXT_MAX = 40


def money_text(value: int, currency: str) -> str:
    """Minor units as an input shows them: 3000 of HKD is "30.00", 30 of JPY is "30"."""
    return f"{Decimal(value).scaleb(-EXPONENT.get(currency, 0)):f}"


def read_money(text: str, currency: str) -> int:
    """The minor units that "30.00" or "1,250.5" means in a currency.

    Raises ValidationError for what is no amount, for a currency nobody knows, and for more decimals
    than the currency has: nothing is rounded.
    """
    if not currency:
        raise ValidationError(_("Say in which currency."))
    if currency not in EXPONENT:
        raise ValidationError(_("%(currency)s is no currency known here.") % {"currency": currency})
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or len(text) > _TEXT_MAX:
        raise ValidationError(_("An amount is written like 50 or 49.90."))
    places, part = EXPONENT[currency], found["part"] or ""
    if len(part) > places:
        said = (
            _("%(currency)s has %(places)s decimals at most.") if places
            else _("%(currency)s has no decimals.")
        )  # fmt: skip
        raise ValidationError(said % {"currency": currency, "places": places})
    return int(found["whole"].replace(",", "") + part.ljust(places, "0"))


class MoneyField(forms.Field):
    """An amount in the units people speak of; its value is in minor units.

    Whoever makes the form says which currency holds by setting `currency_of`, which is asked when
    the amount is read or shown: the currency is another field of the same form.
    """

    widget = forms.TextInput
    currency_field = ""  # The name of that other field, where the form's maker sets nothing else.
    default_error_messages = {
        "least": gettext_lazy("It is at least %(bound)s."),
        "most": gettext_lazy("It is at most %(bound)s."),
    }

    def __init__(
        self,
        *,
        min_value: int = 0,
        max_value: int = BIGINT_MAX,
        currency_of: Callable[[], str] = str,
        needs_currency: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.min_value, self.max_value = min_value, max_value
        self.currency_of = currency_of
        self.needs_currency = needs_currency
        self.widget.attrs.setdefault("inputmode", "decimal")
        self.widget.attrs.setdefault("class", "vIntegerField")

    def to_python(self, value: Any) -> int | None:
        text = str(value).strip() if value is not None else ""
        if not text:
            return None
        currency = self.currency_of()
        if not currency and not self.needs_currency and text.isdecimal() and text.isascii():
            # An amount of no currency counts nothing yet, such as a least one of zero.
            return self._bounded(int(text[:_TEXT_MAX]), currency)
        return self._bounded(read_money(text, currency), currency)

    def _bounded(self, amount: int, currency: str) -> int:
        for code, bound, is_past in (
            ("least", self.min_value, amount < self.min_value),
            ("most", self.max_value, amount > self.max_value),
        ):
            if is_past:
                said = self.error_messages[code] % {"bound": money_text(bound, currency)}
                raise ValidationError(said, code=code)
        return amount

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return money_text(value, self.currency_of())
        return value  # What was typed.

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


def money_for(field: Any, **options: Any) -> MoneyField:
    """The form's field for a model's column of minor units, with the column's own bounds."""
    low, high = _bounds(field)
    return MoneyField(
        min_value=low,
        max_value=high,
        required=not field.blank and not field.null,
        label=options.pop("label", None) or capfirst(field.verbose_name),
        initial=field.get_default() if field.has_default() else None,
        help_text=field.help_text,
        **options,
    )


def _bounds(field: Any) -> tuple[int, int]:
    """The least and the greatest value that the column and its validators take."""
    low, high = connection.ops.integer_field_range(field.get_internal_type())
    for validator in field.validators:
        limit = getattr(validator, "limit_value", None)
        if isinstance(limit, int) and isinstance(validator, MinValueValidator):
            low = max(low, limit)
        if isinstance(limit, int) and isinstance(validator, MaxValueValidator):
            high = min(high, limit)
    return low, high
