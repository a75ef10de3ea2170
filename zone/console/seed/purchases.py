"""A year of what a wallet sends about one person: bills, refunds, subscription events."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from zone.console.seed.names import purchase_title
from zone.console.seed.people import YEAR, Person
from zone.console.seed.prices import (
    APP_PRICES,
    CURRENCY,
    ICLOUD,
    MERCHANT,
    MUSIC,
    STOREFRONT,
    WEIGHTS,
    Plan,
    plans_of,
)
from zone.history.services.ingest.reading import BILL, REFUND, SUBSCRIPTION

Body = dict[str, Any]
_ROSE_BEFORE = timedelta(days=130)
# One person of each wallet owes the payment after this many months, since two days.
_OVERDUE_MONTHS = 11
_FREE, _NORMAL, _ENDED, _GRACE = "FREE_TRIAL", 1, 2, 4


@dataclass(frozen=True, order=True)
class Told:
    """One message and the moment the wallet sends it."""

    at: datetime
    wallet: str = field(compare=False)
    path: str = field(compare=False)
    body: Body = field(compare=False)


class _Teller:
    """Writes one person's messages, numbering their bills and events."""

    def __init__(self, person: Person, now: datetime) -> None:
        self.person = person
        self.now = now
        self.count = 0

    def bill(self, at: datetime, amount: int, lines: list[Body] | None) -> tuple[str, Told]:
        wallet = self.person.wallet
        merchant, name, provider = MERCHANT[wallet]
        number = self._number("B")
        body: Body = {
            "userId": self.person.user_id,
            "billNo": number,
            "merchantId": merchant,
            "merchantName": name,
            "orderAmount": {"currency": CURRENCY[wallet], "value": str(amount)},
            "payTime": at.isoformat(timespec="seconds"),
            "pointsProvider": provider,
            "outBillNo": f"M{number}",
        }
        if lines:
            body["lines"] = lines
        return number, Told(at, wallet, BILL, body)

    def refund(self, at: datetime, bill_no: str, amount: int) -> Told:
        wallet = self.person.wallet
        body: Body = {
            "userId": self.person.user_id,
            "relateBillNo": bill_no,
            "refundAmount": {"currency": CURRENCY[wallet], "value": str(amount)},
            "refundTime": at.isoformat(timespec="seconds"),
            "refundOutBillNo": self._number("R"),
            "pointsProvider": MERCHANT[wallet][2],
        }
        return Told(at, wallet, REFUND, body)

    def event(
        self, at: datetime, reference: str, plan: Plan, price: int, ends_at: datetime, **said: Any
    ) -> Told:
        wallet = self.person.wallet
        body: Body = {
            "eventId": self._number("E"),
            "occurredAt": at.isoformat(timespec="seconds"),
            "userId": self.person.user_id,
            "subscriptionRef": reference,
            "service": plan.service,
            "plan": plan.name,
            "status": said.pop("status", _NORMAL),
            "autoRenewStatus": said.pop("renews", 1),
            "expiresAt": ends_at.isoformat(timespec="seconds"),
            "renewalPrice": {"currency": CURRENCY[wallet], "value": str(price)},
            "storefront": STOREFRONT[wallet],
            **said,
        }
        return Told(at, wallet, SUBSCRIPTION, body)

    def _number(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.person.wallet}-{self.person.number:05d}-{self.count:04d}"


def tell_purchases(person: Person, now: datetime) -> list[Told]:
    """Everything the wallet told about this person within the last year, in order."""
    if person.bound_at is None:
        return []
    teller = _Teller(person, now)
    until = person.unbound_at or now
    since = max(person.bound_at, now - YEAR)
    told = list(_subscriptions(teller, since, until))
    told += _apps(teller, since, until)
    return sorted(message for message in told if message.at < now)


def _subscriptions(teller: _Teller, since: datetime, until: datetime) -> Iterator[Told]:
    person = teller.person
    dice = person.dice("subscriptions")
    is_told = 1 <= person.number <= 3
    for service, chance in ((ICLOUD, 0.82), (MUSIC, 0.5)):
        plans = plans_of(person.wallet, service)
        wanted = dice.random() < chance
        if not plans or not (wanted or is_told):
            continue
        plan = dice.choices(plans, WEIGHTS[person.wallet][service])[0]
        start = since + timedelta(days=dice.uniform(0, 25), hours=dice.uniform(0, 20))
        if is_told and service == MUSIC and person.number == 3:
            start = teller.now - timedelta(days=25)  # The free month is nearly over.
        if is_told and service == ICLOUD and person.number == 3:
            start = _add_months(teller.now - timedelta(days=2), -_OVERDUE_MONTHS)
        if start < until:
            yield from _one_subscription(teller, dice, plan, start, until)


def _one_subscription(
    teller: _Teller, dice: Random, plan: Plan, start: datetime, until: datetime
) -> Iterator[Told]:
    """Monthly on the same day: a free month where there is one, then bills, then perhaps an end."""
    person, reference = teller.person, f"S{teller.person.user_id[-8:]}-{plan.service}"
    rose_at = teller.now - _ROSE_BEFORE
    months_max = dice.randint(2, 9) if person.number > 3 and dice.random() < 0.2 else 99
    fails_at = dice.randint(2, 6) if dice.random() < 0.08 else -1
    if person.number == 3 and plan.service == ICLOUD:
        fails_at = _OVERDUE_MONTHS  # The newest payment is overdue.
    for month in range(15):
        at, ends_at = _add_months(start, month), _add_months(start, month + 1)
        if at >= until:
            return
        price = plan.price_before if plan.price_before and at < rose_at else plan.price
        if month >= months_max:
            yield teller.event(
                at, reference, plan, price, at, status=_ENDED, renews=0, expirationIntent=1
            )
            return
        if month < plan.trial_months:
            yield teller.event(at, reference, plan, plan.price, ends_at, offerDiscountType=_FREE)
            continue
        if month == fails_at:
            grace_ends = at + timedelta(days=16)
            yield teller.event(at, reference, plan, price, grace_ends, status=_GRACE)
            at += timedelta(days=3, hours=2)
            if at >= teller.now:
                return
        line = {
            "lineNo": 1,
            "service": plan.service,
            "productName": plan.name,
            "amount": str(price),
            "recurring": "true",
            "subscriptionRef": reference,
        }
        yield teller.bill(at, price, [line])[1]
        said = at + timedelta(seconds=2)
        yield teller.event(said, reference, plan, price, ends_at)
        if month + 1 == months_max:
            yield teller.event(at + timedelta(days=6), reference, plan, price, ends_at, renews=0)


def _apps(teller: _Teller, since: datetime, until: datetime) -> Iterator[Told]:
    """Apps and things inside them: some people never, some twice a week."""
    person = teller.person
    dice = person.dice("apps")
    a_month = dice.choices((0.0, 0.7, 1.6, 4.0), (25, 40, 25, 10))[0]
    if person.number <= 2:
        a_month = 2.0 if person.number == 1 else 0.0
    at = since
    while a_month:
        at += timedelta(days=dice.expovariate(a_month / 30.4))
        if at >= until:
            break
        lines = [_app_line(person, dice, number) for number in range(1, 2 + (dice.random() < 0.12))]
        amount = sum(int(line["amount"]) for line in lines)
        is_explained = dice.random() < 0.88
        bill_no, told = teller.bill(at, amount, lines if is_explained else None)
        yield told
        if dice.random() < 0.035:
            part = amount if dice.random() < 0.7 else amount // 2
            yield teller.refund(at + timedelta(days=dice.uniform(1, 9)), bill_no, part)
    if person.number == 2:
        price = APP_PRICES[person.wallet][-1]
        line = _app_line(person, dice, 1) | {"amount": str(price)}
        bill_no, told = teller.bill(teller.now - timedelta(days=16), price, [line])
        yield told
        yield teller.refund(teller.now - timedelta(days=2, hours=3), bill_no, price)


def _app_line(person: Person, dice: Random, number: int) -> Body:
    prices = APP_PRICES[person.wallet]
    weights = [2 ** (len(prices) - place) for place in range(len(prices))]
    is_app = dice.random() < 0.15
    return {
        "lineNo": number,
        "service": "APP_STORE" if is_app else "IN_APP",
        "productName": purchase_title(person.wallet, dice, is_app=is_app),
        "amount": str(dice.choices(prices, weights)[0]),
        "recurring": "false",
    }


def _add_months(start: datetime, months: int) -> datetime:
    """The same day `months` later, or the month's last day when it has no such day."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return start.replace(year=year, month=month, day=day)
