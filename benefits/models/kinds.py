"""The kinds of benefit, and what each one's detail holds. A new kind is an entry here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

PERIODS = ("P7D", "P1M", "P2M", "P3M", "P6M", "P1Y")


@dataclass(frozen=True, slots=True)
class DetailField:
    """One value in a benefit's detail: its name, what it must be, whether it may be absent."""

    name: str
    label: Any
    check: Callable[[Any], bool]
    is_required: bool = True
    currency: str = ""  # Of money: the value beside it that says in which currency it is.

    @property
    def shape(self) -> str:
        """What a form asks for: money, amount, flag, text, period or draw."""
        if self.currency:
            return "money"
        return _SHAPES[self.check]


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of benefit: how it is called, what the API calls it, what its detail holds."""

    code: str
    label: Any
    api_kind: str
    icon: str
    fields: tuple[DetailField, ...] = ()

    @property
    def money(self) -> dict[str, str]:
        """What in the detail is money, and which value beside it says in which currency."""
        return {field.name: field.currency for field in self.fields if field.currency}


def _is_amount(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 120


def _is_period(value: Any) -> bool:
    return value in PERIODS


def _is_draw(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("drw_") and len(value) <= 30


_SHAPES: dict[Callable[[Any], bool], str] = {
    _is_amount: "amount",
    _is_flag: "flag",
    _is_text: "text",
    _is_period: "period",
    _is_draw: "draw",
}


_TRIAL = (
    DetailField("service", _("service"), _is_text),
    DetailField("plan", _("plan"), _is_text, is_required=False),
    DetailField("trial_period", _("length of the trial (ISO 8601)"), _is_period),
    DetailField("renews_price", _("price after the trial"), _is_amount, False, "renews_currency"),
    DetailField("renews_currency", _("currency of that price"), _is_text, False),
)

# What gives credits: it has no price in them.
CREDIT_PACK = "credit_pack"
# An entry in a draw: it is delivered by the claim itself, and is good for that draw alone.
DRAW_TICKET = "draw_ticket"
# Kept by the wallet itself: a release of it takes a provider that is a wallet.
WALLET_VOUCHER = "wallet_voucher"

KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "app_store_coupon",
            _("App Store coupon"),
            "coupon",
            "coupon",
            (
                DetailField("currency", _("currency"), _is_text),
                DetailField("amount_off", _("amount off"), _is_amount, currency="currency"),
                DetailField("minimum_spend", _("least spend"), _is_amount, False, "currency"),
                DetailField("is_divisible", _("may be used in parts"), _is_flag, False),
            ),
        ),
        Kind("apple_music_trial", _("Apple Music trial"), "trial", "music", _TRIAL),
        Kind("icloud_trial", _("iCloud+ trial"), "trial", "cloud", _TRIAL),
        Kind(
            "offer_code",
            _("offer code"),
            "offer_code",
            "arcade",
            (
                DetailField("app_name", _("app"), _is_text),
                DetailField("offer", _("offer"), _is_text),
            ),
        ),
        Kind(
            WALLET_VOUCHER,
            _("wallet voucher"),
            "coupon",
            "coupon",
            (
                DetailField("activity_id", _("the wallet's number of the activity"), _is_text),
                DetailField("currency", _("currency"), _is_text),
                DetailField("amount_off", _("amount off"), _is_amount, currency="currency"),
                DetailField("minimum_spend", _("least spend"), _is_amount, False, "currency"),
            ),
        ),
        Kind(
            CREDIT_PACK,
            _("credit pack"),
            "credit_pack",
            "spark",
            (DetailField("credits", _("credits"), _is_amount),),
        ),
        Kind(
            "partner_perk",
            _("partner perk"),
            "partner_perk",
            "gift",
            (DetailField("partner_name", _("partner"), _is_text),),
        ),
        Kind(
            DRAW_TICKET,
            _("draw ticket"),
            "draw_ticket",
            "ticket",
            # What can be won is told in the words of the prize itself, so that they never differ.
            (DetailField("draw", _("draw"), _is_draw),),
        ),
    )
}


def kind_choices() -> list[tuple[str, Any]]:
    """For model fields: called, so that a new kind needs no migration."""
    return [(kind.code, kind.label) for kind in KINDS.values()]


def check_detail(kind_code: str, detail: dict[str, Any]) -> None:
    """Raises ValidationError naming each field that is missing, wrong or not of this kind."""
    kind = KINDS.get(kind_code)
    if kind is None:
        raise ValidationError(_("There is no such kind of benefit."))
    known = {field.name: field for field in kind.fields}
    faults = [
        _("%(name)s is not part of this kind's detail.") % {"name": name}
        for name in detail
        if name not in known
    ]
    for field in kind.fields:
        value = detail.get(field.name)
        if value is None:
            if field.is_required:
                faults.append(_("%(name)s is missing from the detail.") % {"name": field.name})
        elif not field.check(value):
            faults.append(_("%(name)s has a value it cannot have.") % {"name": field.name})
    if faults:
        raise ValidationError(faults)
