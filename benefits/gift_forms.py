"""What the gift pages accept: which benefit, which card and words, for whom and when."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location
from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from benefits.forms import ClaimForm
from benefits.models import Claim, Gift
from benefits.models.gift import NAME_LETTERS_MAX, WORDS_LETTERS_MAX
from credits.ledger import AMOUNT_MAX
from zone.core import clock
from zone.core.money import babel_locale
from zone.members.models import Member, Wallet

GROUP_DAYS_MAX = 30
# Friends live abroad too; the wallets' own zones come before these.
_MORE_ZONES = (
    "Asia/Taipei", "Asia/Macau", "Asia/Singapore", "Asia/Kuala_Lumpur", "Asia/Bangkok",
    "Asia/Jakarta", "Asia/Tokyo", "Asia/Seoul", "Asia/Dubai", "Australia/Sydney",
    "Europe/London", "Europe/Paris", "America/New_York", "America/Los_Angeles",
)  # fmt: skip


def list_zones(first: str) -> list[tuple[str, str]]:
    """Zones to choose an hour in, by city; the member's own first."""
    ours = Wallet.objects.order_by("sort_weight", "code").values_list("time_zone", flat=True)
    locale = babel_locale(get_language() or "en")
    names = dict.fromkeys([first, *ours, *_MORE_ZONES])
    return [(name, get_timezone_location(name, locale=locale, return_city=True)) for name in names]


class CardForm(forms.Form):
    """Card, words, names and hour: all that may change until a gift is opened."""

    NOW, LATER = "now", "later"

    theme = forms.ChoiceField(choices=Gift.Theme.choices, initial=Gift.Theme.PINK)
    words = forms.CharField(required=False, max_length=WORDS_LETTERS_MAX)
    receiver_name = forms.CharField(required=False, max_length=NAME_LETTERS_MAX)
    signed_by = forms.CharField(required=False, max_length=NAME_LETTERS_MAX)
    when = forms.ChoiceField(
        required=False, choices=[(NOW, _("Now")), (LATER, _("At an hour I choose"))], initial=NOW
    )
    on = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    hour = forms.TimeField(required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    time_zone = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = list_zones(member.time_zone)  # type: ignore[attr-defined]
        today = clock.now().astimezone(ZoneInfo(member.time_zone)).date()
        self.fields["on"].widget.attrs["min"] = today.isoformat()

    def clean_words(self) -> str:
        return " ".join(self.cleaned_data["words"].split())

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        values["deliver_at"] = None
        if values.get("when") == self.LATER:
            values["time_zone"] = values.get("time_zone") or self.fields["time_zone"].choices[0][0]  # type: ignore[attr-defined]
            if not values.get("on") or not values.get("hour"):
                self.add_error("hour", _("Choose a day and an hour."))
            else:
                # An hour that a clock change skips is read with the offset before it (PEP 495).
                values["deliver_at"] = datetime.combine(
                    values["on"], values["hour"], tzinfo=ZoneInfo(values["time_zone"])
                )
        return values

    def card(self) -> dict[str, Any]:
        """What the services take of it."""
        names = ("theme", "words", "receiver_name", "signed_by", "deliver_at", "time_zone")
        return {name: self.cleaned_data[name] for name in names}


class GiftForm(CardForm):
    """A new gift. The operation id is made with the page and kept through retries."""

    claim = forms.ChoiceField()
    op_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, claims: list[Claim], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.claims = {claim.public_id: claim for claim in claims}
        self.fields["claim"].choices = [  # type: ignore[attr-defined]
            (public_id, str(claim)) for public_id, claim in self.claims.items()
        ]

    clean_op_id = ClaimForm.clean_op_id

    def chosen(self) -> Claim:
        return self.claims[self.cleaned_data["claim"]]

    def op(self) -> UUID:
        value: UUID = self.cleaned_data["op_id"]
        return value


class GroupForm(CardForm):
    """A new gift that friends pay for: its card, how long it collects, and the first part."""

    release = forms.CharField(max_length=30)
    price = forms.IntegerField(min_value=0)
    op_id = forms.UUIDField(widget=forms.HiddenInput)
    amount = forms.IntegerField(min_value=1, max_value=AMOUNT_MAX)
    days = forms.IntegerField(min_value=1, max_value=GROUP_DAYS_MAX)

    clean_op_id = ClaimForm.clean_op_id


class PartForm(forms.Form):
    """So many credits, under the operation that was made with the page."""

    op_id = forms.UUIDField(widget=forms.HiddenInput)
    amount = forms.IntegerField(min_value=1, max_value=AMOUNT_MAX)
    signed_by = forms.CharField(required=False, max_length=NAME_LETTERS_MAX)

    clean_op_id = ClaimForm.clean_op_id


class ThanksForm(forms.Form):
    words = forms.CharField(required=False, max_length=WORDS_LETTERS_MAX)

    def clean_words(self) -> str:
        return " ".join(self.cleaned_data["words"].split())
