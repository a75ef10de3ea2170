"""What the database already knows about a batch of messages, read in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import connection

from zone.history.models import (
    Charge,
    ChargeKey,
    Refund,
    RefundKey,
    Subscription,
    SubscriptionEventKey,
)
from zone.history.services.ingest.reading import Bill, News, RefundNews, SubscriptionNews
from zone.members.services.identities import find_member_ids_by_index

Name = tuple[str, str]  # wallet code, and a number of that wallet
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One legal message on its way: who it is about, by index, and what it says."""

    wallet_code: str
    user_index: bytes
    news: News
    path: str
    body: object
    # Given when an unlinked message is stored at last: its key is taken already.
    unlinked_id: int | None = None


@dataclass(slots=True)
class KeyFacts:
    """What a repeat must agree with, and the row that tells it."""

    user_index: bytes
    occurred_at: datetime
    row_id: UUID | None
    amount: int = 0
    fingerprint: bytes = b""


@dataclass(slots=True)
class Known:
    members: dict[tuple[str, bytes], int] = field(default_factory=dict)
    charges: dict[Name, KeyFacts] = field(default_factory=dict)
    refunds: dict[tuple[str, str, str], KeyFacts] = field(default_factory=dict)
    events: dict[Name, KeyFacts] = field(default_factory=dict)
    # Sum of the refunds that count against a bill, parked and unlinked ones included.
    refunded: dict[Name, int] = field(default_factory=lambda: defaultdict(int))
    parked: dict[Name, list[Refund]] = field(default_factory=lambda: defaultdict(list))
    # What of a stored charge is not refunded yet.
    room: dict[UUID, int] = field(default_factory=dict)
    subscriptions: dict[Name, Subscription] = field(default_factory=dict)


def lock(incoming: Collection[Incoming]) -> None:
    """Hold each bill and each subscription of the batch until the transaction ends.

    A bill and its refunds share one lock, so a refund cannot park while its charge is being
    stored. Locks are taken in one order everywhere: two batches wait, never deadlock.
    """
    names = {_lock_name(item) for item in incoming}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_advisory_xact_lock(lock)) FROM ("
            "  SELECT DISTINCT hashtextextended(name, 0) AS lock"
            "    FROM unnest(%s::text[]) AS name ORDER BY lock"
            ") AS locks",
            [sorted(names)],
        )


def _lock_name(item: Incoming) -> str:
    if isinstance(item.news, SubscriptionNews):
        return f"history:sub:{item.wallet_code}:{item.news.subscription_reference}"
    return f"history:bill:{item.wallet_code}:{item.news.bill_no}"


def load_known(incoming: Collection[Incoming]) -> Known:
    """Everything that decides the batch. Call it with the locks held."""
    known = Known()
    for wallet_code, items in _grouped((item.wallet_code, item) for item in incoming).items():
        indexes = {item.user_index for item in items}
        for index, member_id in find_member_ids_by_index(
            wallet_code=wallet_code, indexes=list(indexes)
        ).items():
            known.members[wallet_code, index] = member_id
        money = [item.news for item in items if isinstance(item.news, Bill | RefundNews)]
        if money:
            _load_money(known, wallet_code, money)
        told = [item.news for item in items if isinstance(item.news, SubscriptionNews)]
        if told:
            _load_subscriptions(known, wallet_code, told)
    return known


def _load_money(known: Known, wallet_code: str, money: list[Bill | RefundNews]) -> None:
    bill_nos = {news.bill_no for news in money}
    for key in ChargeKey.objects.filter(wallet_id=wallet_code, bill_no__in=bill_nos):
        known.charges[wallet_code, key.bill_no] = KeyFacts(
            bytes(key.user_index), key.occurred_at, key.row_id, key.amount
        )
    for back in RefundKey.objects.filter(wallet_id=wallet_code, bill_no__in=bill_nos):
        known.refunds[wallet_code, back.bill_no, back.refund_reference] = KeyFacts(
            bytes(back.user_index), back.occurred_at, back.row_id, back.amount
        )
        if back.is_counted:
            known.refunded[wallet_code, back.bill_no] += back.amount
    billed = {news.bill_no for news in money if isinstance(news, Bill)}
    for refund in Refund.objects.filter(
        wallet_id=wallet_code, bill_no__in=billed, state=Refund.State.PARKED
    ).order_by("id"):
        known.parked[wallet_code, refund.bill_no].append(refund)
    given_back = {news.bill_no for news in money if isinstance(news, RefundNews)}
    targets = [
        facts.row_id
        for (code, bill_no), facts in known.charges.items()
        if code == wallet_code and facts.row_id and bill_no in given_back
    ]
    for charge_id, amount, refunded in Charge.objects.filter(id__in=targets).values_list(
        "id", "amount", "refunded"
    ):
        known.room[charge_id] = amount - refunded


def _load_subscriptions(known: Known, wallet_code: str, told: list[SubscriptionNews]) -> None:
    for key in SubscriptionEventKey.objects.filter(
        wallet_id=wallet_code, event_reference__in={news.event_reference for news in told}
    ):
        known.events[wallet_code, key.event_reference] = KeyFacts(
            bytes(key.user_index),
            key.occurred_at,
            key.row_id,
            fingerprint=bytes(key.fingerprint),
        )
    for subscription in Subscription.objects.filter(
        wallet_id=wallet_code, reference__in={news.subscription_reference for news in told}
    ):
        known.subscriptions[wallet_code, subscription.reference] = subscription


def _grouped(pairs: Iterable[tuple[K, Incoming]]) -> dict[K, list[Incoming]]:
    groups: dict[K, list[Incoming]] = defaultdict(list)
    for name, item in pairs:
        groups[name].append(item)
    return groups
