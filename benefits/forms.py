"""What the benefit pages accept. Filters forgive; a claim does not."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from benefits.models import Benefit
from zone.core import clock
from zone.core.ids import instant_of

FORM_LIFETIME = timedelta(hours=24)
_CLOCK_SLACK = timedelta(minutes=5)  # Web nodes need not agree to the second.
_UUID_VERSION = 7
_OPERATION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_RELEASE = re.compile(r"rel_[0-9A-Z]{26}")
_PRICE = re.compile(r"[0-9]{1,9}")
_PAGES_MAX = 500


class CatalogueForm(forms.Form):
    """The filters in the address of the catalogue. A value that makes no sense counts as absent."""

    SEGMENTS = [("all", _("All")), ("free", _("Free")), ("credits", _("With credits"))]

    q = forms.CharField(required=False, max_length=60, strip=True)
    show = forms.ChoiceField(required=False, choices=SEGMENTS)
    hue = forms.ChoiceField(required=False, choices=Benefit.Hue.choices)
    page = forms.IntegerField(required=False, min_value=1, max_value=_PAGES_MAX)

    def filters(self) -> dict[str, Any]:
        self.is_valid()
        kept = {name: self.cleaned_data.get(name) for name in self.fields}
        return {
            "q": kept["q"] or "",
            "show": kept["show"] or "all",
            "hue": kept["hue"] or "",
            "page": kept["page"] or 1,
        }


class OperationForm(forms.Form):
    """Something a page offered at a price, under this operation.

    The operation id was made with the page and is kept through retries, so that a second press, a
    reload or a lost answer cannot claim twice.
    """

    op_id = forms.UUIDField()
    price = forms.IntegerField(min_value=0)

    def clean_op_id(self) -> UUID:
        op_id: UUID = self.cleaned_data["op_id"]
        if op_id.version != _UUID_VERSION:
            raise forms.ValidationError(_("This page was not made by us."), code="foreign")
        if not _is_of_today(op_id):
            raise forms.ValidationError(
                _("This page was open for more than a day. Please look again before you claim."),
                code="stale",
            )
        return op_id


class ClaimForm(OperationForm):
    """One claim as the page offered it: this release."""

    release = forms.CharField(max_length=30)

    @staticmethod
    def read(posted: dict[str, str]) -> tuple[UUID, int] | None:
        """Operation and price as our page writes them, or None.

        A form of Django costs a rush more than a query does. Whatever is written in any other way
        is left to it, to be taken or to be refused in words.
        """
        op_id, price = posted.get("op_id", ""), posted.get("price", "")
        is_ours = _OPERATION.fullmatch(op_id) and _PRICE.fullmatch(price)
        if not is_ours or not _RELEASE.fullmatch(posted.get("release", "")):
            return None
        operation = UUID(op_id)
        return (operation, int(price)) if _is_of_today(operation) else None


def _is_of_today(op_id: UUID) -> bool:
    age = clock.now() - instant_of(op_id)
    return -_CLOCK_SLACK <= age <= FORM_LIFETIME


class ChangeForm(ClaimForm):
    """A release instead of a claim of the same choice."""

    claim = forms.CharField(max_length=30)
