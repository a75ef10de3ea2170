"""The buttons that copy a benefit, take it out of the sandbox, and put a draft into the bin."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.markets import read_storefronts, read_wallets
from benefits.admin.verbs import Elsewhere, Verb, actor_of
from benefits.models import Benefit
from benefits.services.bin import bin_benefit, restore_benefit
from benefits.services.copies import clone_benefit, list_variables
from zone.core.clock import database_now

_CHANGE = "benefits.change_benefit"


class CopyForm(forms.Form):
    slug = forms.SlugField(label=gettext_lazy("Address of the copy"), max_length=80)
    wallets = forms.CharField(
        label=gettext_lazy("Wallets, separated by spaces"),
        required=False,
        help_text=gettext_lazy("Empty means all of them."),
    )
    storefronts = forms.CharField(
        label=gettext_lazy("Storefronts, separated by spaces"), required=False
    )
    price_credits = forms.IntegerField(
        label=gettext_lazy("Price in credits"), min_value=0, max_value=1_000_000_000
    )
    variables = forms.CharField(
        label=gettext_lazy("Variables, one “name = value” a line"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("They fill what the words write as {{name}}."),
    )

    def clean_wallets(self) -> list[str]:
        return read_wallets(self.cleaned_data["wallets"].split())

    def clean_storefronts(self) -> list[str]:
        return read_storefronts(self.cleaned_data["storefronts"].split())

    def clean_variables(self) -> dict[str, str]:
        filled = {}
        for line in self.cleaned_data["variables"].splitlines():
            name, equals, value = line.partition("=")
            if line.strip() and not (equals and value.strip()):
                raise ValidationError(_("“%(line)s” is not name = value.") % {"line": line})
            if line.strip():
                filled[name.strip()] = value.strip()
        return filled


def _initial(benefit: Benefit, suffix: str) -> dict[str, Any]:
    return {
        "slug": f"{benefit.slug[:70]}-{suffix}",
        "wallets": " ".join(benefit.wallets),
        "storefronts": " ".join(benefit.storefronts),
        "price_credits": benefit.price_credits,
        "variables": "\n".join(f"{name} = " for name in list_variables(benefit)),
    }


def _clone(
    request: HttpRequest, benefit: Benefit, values: dict[str, Any], **more: Any
) -> Elsewhere:
    asked = {
        "wallets": values["wallets"],
        "storefronts": values["storefronts"],
        "price_credits": values["price_credits"],
        **more,
    }
    # Only what really differs is on record as different.
    changes = {name: value for name, value in asked.items() if getattr(benefit, name) != value}
    copy = clone_benefit(
        benefit=benefit,
        slug=values["slug"],
        actor=actor_of(request),
        now=database_now(),
        changes=changes,
        variables=values["variables"],
    )
    return Elsewhere(_("A draft was made: %(slug)s.") % {"slug": copy.slug}, copy.pk)


def copy(request: HttpRequest, benefit: Benefit, values: dict[str, Any]) -> Elsewhere:
    return _clone(request, benefit, values)


def promote(request: HttpRequest, benefit: Benefit, values: dict[str, Any]) -> Elsewhere:
    return _clone(request, benefit, values, livemode=True)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200, required=False)


def to_bin(request: HttpRequest, benefit: Benefit, values: dict[str, Any]) -> str:
    bin_benefit(benefit=benefit, actor=actor_of(request), now=database_now(), **values)
    return _("It is in the bin. For thirty days it can come back.")


def from_bin(request: HttpRequest, benefit: Benefit, values: dict[str, Any]) -> str:
    restore_benefit(benefit=benefit, actor=actor_of(request), now=database_now())
    return _("It is back, with its history.")


COPY_VERBS = (
    Verb("copy", gettext_lazy("Copy"), "benefits.add_benefit", CopyForm, copy,
         lambda row: _initial(row, "copy")),
    Verb("promote", gettext_lazy("Copy to live"), "benefits.add_benefit", CopyForm, promote,
         lambda row: _initial(row, "live")),
    Verb("bin", gettext_lazy("Into the bin"), _CHANGE, ReasonForm, to_bin),
    Verb("restore", gettext_lazy("Out of the bin"), _CHANGE, forms.Form, from_bin),
)  # fmt: skip
