"""Money in the console's forms: typed and shown as people write it, stored in minor units."""

from functools import partial
from typing import Any

from django.forms import ModelForm
from django.utils.translation import gettext_lazy as _

from zone.console.said import MONEY, MONEY_WHEN, currency_of
from zone.core.money_forms import MoneyField, money_for

HELP = _("As one writes it, such as 30.00; in yen 30.")


class TypedAmounts:
    """Mixed into a model's form: its columns of money, see `MONEY`, are typed in major units."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        model = self._meta.model  # type: ignore[attr-defined]
        label = model._meta.label_lower
        for name, path in MONEY.get(label, {}).items():
            made = self.fields.get(name)  # type: ignore[attr-defined]
            if made is None:
                continue
            field = money_for(model._meta.get_field(name), label=made.label)
            field.required, field.disabled = made.required, made.disabled
            field.initial = made.initial
            field.help_text = made.help_text or HELP
            field.currency_of = partial(_currency_in, self, path, MONEY_WHEN.get((label, name)))
            self.fields[name] = field  # type: ignore[attr-defined]
        for field in self.fields.values():  # type: ignore[attr-defined]
            # A field of the form's own that says beside which other one its currency stands.
            if isinstance(field, MoneyField) and getattr(field, "currency_field", ""):
                field.currency_of = partial(_currency_in, self, field.currency_field, None)


def _currency_in(form: Any, path: str, when: tuple[str, str] | None) -> str:
    """The currency that a form's amount is in: as it is being typed, else as it is stored."""
    if when is not None and _value_in(form, when[0]) != when[1]:
        return ""  # A plain number.
    if "." in path:  # Of the row that this one stands under; its form is posted with this one.
        name = path.rpartition(".")[2]
        typed = form.data.get(name) if form.is_bound else None
        return str(typed if typed is not None else currency_of(form.instance, path)).strip()
    return _value_in(form, path)


def _value_in(form: Any, name: str) -> str:
    """What a field of the form holds now."""
    field = form.fields.get(name)
    if field is None:
        return currency_of(form.instance, name)
    if form.is_bound and not field.disabled:
        return str(form.data.get(form.add_prefix(name)) or "").strip()
    return str(form.get_initial_for_field(field, name) or "").strip()


def with_money(form: type[ModelForm]) -> type[ModelForm]:
    """The form with amounts typed in major units; the same class where it has none."""
    if issubclass(form, TypedAmounts):
        return form
    return type(form.__name__, (TypedAmounts, form), {"__module__": form.__module__})
