"""Conditions on who a member is and what they did at Apple.

Each explains itself to the member and knows the next step. A new condition is a class here or in
`membership`, and an entry in `kinds`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from benefits.conditions.snapshot import Purchase, Snapshot
from zone.core.money import format_money


@dataclass(frozen=True, slots=True)
class Step:
    """Something a member can do. `after` is the member once it is done; `weight` ranks it."""

    kind: str  # bind, wait, buy, spend, subscribe, claim, earn
    sentence: str
    weight: int
    after: Snapshot
    amount: int = 0  # days, purchases, claims, credits or minor units
    subject: str = ""  # a service, a benefit's address, a tier
    href: str = ""


class Leaf(Protocol):
    """One condition. `step` is None when there is nothing a member could do.

    `changes_at` is the next instant at which its answer may be another though nothing happened.
    """

    source: ClassVar[str]
    reason: ClassVar[str]

    def holds(self, member: Snapshot) -> bool: ...
    def explain(self, member: Snapshot) -> str: ...
    def step(self, member: Snapshot) -> Step | None: ...
    def changes_at(self, member: Snapshot) -> datetime | None: ...


class Timeless:
    """A condition whose answer no clock changes."""

    __slots__ = ()

    def changes_at(self, member: Snapshot) -> datetime | None:
        return None


@dataclass(frozen=True, slots=True)
class WalletIs(Timeless):
    of: tuple[str, ...]
    source: ClassVar[str] = ""
    reason: ClassVar[str] = "wallet"

    def holds(self, member: Snapshot) -> bool:
        return member.wallet in self.of

    def explain(self, member: Snapshot) -> str:
        return _("This benefit is for members of another wallet.")

    def step(self, member: Snapshot) -> Step | None:
        return None


@dataclass(frozen=True, slots=True)
class StorefrontIs(Timeless):
    of: tuple[str, ...]
    source: ClassVar[str] = ""
    reason: ClassVar[str] = "storefront"

    def holds(self, member: Snapshot) -> bool:
        return member.storefront in self.of

    def explain(self, member: Snapshot) -> str:
        return _("This benefit is for Apple accounts of another region.")

    def step(self, member: Snapshot) -> Step | None:
        return None


@dataclass(frozen=True, slots=True)
class LanguageIs(Timeless):
    of: tuple[str, ...]
    source: ClassVar[str] = ""
    reason: ClassVar[str] = "language"

    def holds(self, member: Snapshot) -> bool:
        return member.language in self.of

    def explain(self, member: Snapshot) -> str:
        return _("This benefit is for members who read another language.")

    def step(self, member: Snapshot) -> Step | None:
        return None  # A setting is not a way to earn something.


@dataclass(frozen=True, slots=True)
class Adult(Timeless):
    source: ClassVar[str] = ""
    reason: ClassVar[str] = "adults_only"

    def holds(self, member: Snapshot) -> bool:
        return member.is_adult

    def explain(self, member: Snapshot) -> str:
        return _("This benefit is for adults only.")

    def step(self, member: Snapshot) -> Step | None:
        return None


@dataclass(frozen=True, slots=True)
class BoundFor:
    """Bound to an Apple account for so many days; 0 is from the first moment."""

    days: int
    source: ClassVar[str] = ""
    reason: ClassVar[str] = "binding_age"

    def holds(self, member: Snapshot) -> bool:
        return member.bound_at is not None and member.now - member.bound_at >= timedelta(self.days)

    def explain(self, member: Snapshot) -> str:
        if member.bound_at is None:
            return _("Link your wallet to your Apple account first.")
        days = self._missing(member.bound_at, member)
        return ngettext(
            "Your Apple account must be linked %(days)s day longer.",
            "Your Apple account must be linked %(days)s days longer.",
            days,
        ) % {"days": days}

    def step(self, member: Snapshot) -> Step | None:
        if member.bound_at is None:
            after = replace(member, bound_at=member.now)
            return Step("bind", _("Link your Apple account"), 2, after, href="/bind")
        days = self._missing(member.bound_at, member)
        sentence = ngettext("Wait %(days)s day", "Wait %(days)s days", days) % {"days": days}
        after = replace(member, now=member.now + timedelta(days=days))
        return Step("wait", sentence, 1 + days, after, amount=days)

    def changes_at(self, member: Snapshot) -> datetime | None:
        at = None if member.bound_at is None else member.bound_at + timedelta(days=self.days)
        return at if at is not None and at > member.now else None

    def _missing(self, bound_at: datetime, member: Snapshot) -> int:
        rest = bound_at + timedelta(days=self.days) - member.now
        return max(-(-rest // timedelta(days=1)), 0)


@dataclass(frozen=True, slots=True)
class Bought:
    """So many purchases in the last days."""

    count: int
    days: int
    source: ClassVar[str] = "purchases"
    reason: ClassVar[str] = "purchases"

    def holds(self, member: Snapshot) -> bool:
        return self._missing(member) <= 0

    def _missing(self, member: Snapshot) -> int:
        return self.count - len(member.purchases_since(self.days))

    def changes_at(self, member: Snapshot) -> datetime | None:
        return member.next_purchase_end(self.days)

    def explain(self, member: Snapshot) -> str:
        number = self._missing(member)
        return ngettext(
            "%(number)s more purchase at Apple is needed within %(days)s days.",
            "%(number)s more purchases at Apple are needed within %(days)s days.",
            number,
        ) % {"number": number, "days": self.days}

    def step(self, member: Snapshot) -> Step | None:
        number = self._missing(member)
        sentence = ngettext(
            "Make %(number)s more purchase of any size at Apple",
            "Make %(number)s more purchases of any size at Apple",
            number,
        ) % {"number": number}
        bought = (Purchase(member.now, 1, member.currency),) * number
        after = replace(member, purchases=member.purchases + bought)
        return Step("buy", sentence, 3 * number, after, amount=number)


@dataclass(frozen=True, slots=True)
class Spent:
    """So much money spent in one currency in the last days."""

    amount: int
    currency: str
    days: int
    source: ClassVar[str] = "purchases"
    reason: ClassVar[str] = "spending"

    def holds(self, member: Snapshot) -> bool:
        return self._missing(member) <= 0

    def _missing(self, member: Snapshot) -> int:
        spent = [p.amount for p in member.purchases_since(self.days) if p.currency == self.currency]
        return self.amount - sum(spent)

    def changes_at(self, member: Snapshot) -> datetime | None:
        return member.next_purchase_end(self.days)

    def explain(self, member: Snapshot) -> str:
        return _("%(amount)s more must be spent at Apple within %(days)s days.") % {
            "amount": format_money(self._missing(member), self.currency, member.language),
            "days": self.days,
        }

    def step(self, member: Snapshot) -> Step | None:
        if member.currency != self.currency:
            return None  # Their wallet pays in another currency.
        gap = self._missing(member)
        amount = format_money(gap, self.currency, member.language)
        sentence = _("Spend %(amount)s more at Apple") % {"amount": amount}
        bought = Purchase(member.now, gap, self.currency)
        after = replace(member, purchases=(*member.purchases, bought))
        return Step("spend", sentence, 4 + gap // 1000, after, amount=gap, subject=self.currency)


@dataclass(frozen=True, slots=True)
class Subscribed(Timeless):
    """How the member stands with a service: `open`, `never`, `ever` or `lapsed`."""

    service: str
    state: str
    STATES: ClassVar[tuple[str, ...]] = ("open", "never", "ever", "lapsed")
    source: ClassVar[str] = "subscriptions"
    reason: ClassVar[str] = "subscription"

    def holds(self, member: Snapshot) -> bool:
        is_open = (self.service, True) in member.subscriptions
        was_there = is_open or (self.service, False) in member.subscriptions
        return {
            "open": is_open,
            "never": not was_there,
            "ever": was_there,
            "lapsed": was_there and not is_open,
        }[self.state]

    def explain(self, member: Snapshot) -> str:
        name = _service_name(self.service)
        return {
            "open": _("This is for members who subscribe to %(service)s."),
            "never": _("This is for members who never had %(service)s."),
            "ever": _("This is for members who have had %(service)s."),
            "lapsed": _("This is for members who had %(service)s before."),
        }[self.state] % {"service": name}

    def step(self, member: Snapshot) -> Step | None:
        if self.state not in ("open", "ever"):
            return None
        held = member.subscriptions | {(self.service, True)}
        sentence = _("Subscribe to %(service)s") % {"service": _service_name(self.service)}
        after = replace(member, subscriptions=held)
        return Step("subscribe", sentence, 8, after, subject=self.service)


def _service_name(service: str) -> str:
    return {"apple_music": "Apple Music", "icloud_plus": "iCloud+"}.get(service, service)
