"""A statement as a member reads it: each entry in words, grouped by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from credits.kinds import Counter, Kind
from credits.queries import EntryLine

# The statement's filter: a word in the address, its label, and what it shows.
FILTERS: list[tuple[str, Any, tuple[Kind, ...]]] = [
    ("", _("All"), ()),
    ("earned", _("Earned"), (Kind.EARN, Kind.ADJUST)),
    ("spent", _("Spent"), (Kind.SPEND, Kind.HOLD, Kind.CAPTURE, Kind.CLAWBACK)),
    ("returned", _("Returned"), (Kind.RELEASE, Kind.REFUND)),
    ("expired", _("Expired"), (Kind.EXPIRE,)),
]

_EARNED = {
    Counter.PURCHASES: _("App Store purchase"),
    Counter.WELCOME: _("Welcome gift"),
    Counter.CHECK_IN: _("Daily check-in"),
    Counter.MISSIONS: _("Mission completed"),
    Counter.REFERRALS: _("Friend invited"),
    Counter.CAMPAIGNS: _("Campaign"),
    Counter.PARTNERS: _("From a partner"),
    Counter.OPENING: _("Carried over"),
}
_TITLES = {
    Kind.EARN: _("Credits earned"),
    Kind.SPEND: _("Credits spent"),
    Kind.HOLD: _("Set aside"),
    Kind.CAPTURE: _("Set aside credits used"),
    Kind.RELEASE: _("Set aside credits returned"),
    Kind.REFUND: _("Credits returned"),
    Kind.EXPIRE: _("Credits ended"),
    Kind.CLAWBACK: _("Purchase refunded"),
    Kind.ADJUST: _("Correction"),
}
_BENEFIT_TITLES = {
    Kind.SPEND: _("Benefit"),
    Kind.HOLD: _("Benefit, set aside"),
    Kind.CAPTURE: _("Benefit received"),
    Kind.RELEASE: _("Benefit not received, credits returned"),
    Kind.REFUND: _("Benefit returned"),
}
_GROUP_TITLES = {
    Kind.HOLD: _("Gift with friends, set aside"),
    Kind.CAPTURE: _("Your part of a gift with friends"),
    Kind.RELEASE: _("Gift with friends, credits returned"),
    Kind.REFUND: _("Gift with friends came back"),
}
_LINKS = {"txn": "/activity/", "clm": "/me/benefits/", "ggf": "/gifts/together/"}


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One entry: `change` is what it did to the balance, so rows add up to the running balance."""

    title: Any
    change: int
    balance: int
    repaid: int
    posted_at: datetime
    expires_on: date | None
    link: str


@dataclass(frozen=True, slots=True)
class StatementMonth:
    starts_on: date
    rows: list[StatementRow]


def filter_kinds(word: str) -> tuple[Kind, ...]:
    """The kinds behind a filter's word; an unknown word filters nothing."""
    return next((kinds for name, _label, kinds in FILTERS if name == word), ())


def group_by_month(lines: Sequence[EntryLine]) -> list[StatementMonth]:
    """Entries under the local month they were posted in; newest first, as they came."""
    months: list[StatementMonth] = []
    for line in lines:
        starts_on = timezone.localtime(line.posted_at).date().replace(day=1)
        if not months or months[-1].starts_on != starts_on:
            months.append(StatementMonth(starts_on, []))
        months[-1].rows.append(row_of(line))
    return months


def row_of(line: EntryLine) -> StatementRow:
    """One entry in words."""
    return StatementRow(
        title=_title(line),
        change=line.available_change,
        balance=line.available_after,
        repaid=line.repaid,
        posted_at=line.posted_at,
        expires_on=line.expires_on,
        link=_link(line.related),
    )


def _title(line: EntryLine) -> Any:
    if line.kind == Kind.ADJUST and line.counter == Counter.BREAKAGE:
        return _("Account closed")
    if line.kind == Kind.EARN:
        return _EARNED.get(Counter(line.counter), _TITLES[Kind.EARN])
    if line.related.startswith("ggf_") and line.kind in _GROUP_TITLES:
        return _GROUP_TITLES[line.kind]
    if line.counter == Counter.BENEFITS and line.kind in _BENEFIT_TITLES:
        return _BENEFIT_TITLES[line.kind]
    return _TITLES[line.kind]


def _link(related: str) -> str:
    prefix, _separator, _rest = related.partition("_")
    return f"{_LINKS[prefix]}{related}" if prefix in _LINKS else ""
