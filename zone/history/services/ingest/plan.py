"""What a batch will write, collected before anything is written."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from zone.history.models import (
    Charge,
    ChargeKey,
    ChargeLine,
    Refund,
    RefundKey,
    RejectedMessage,
    Subscription,
    SubscriptionEvent,
    SubscriptionEventKey,
    UnlinkedMessage,
)
from zone.history.services.ingest.known import Incoming
from zone.history.services.ingest.reading import (
    Bill,
    RefundNews,
    SubscriptionNews,
    body_hash,
    masked,
)

UNLINKED_KEPT = timedelta(days=30)


class Outcome(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    INCONSISTENT = "inconsistent"
    UNLINKED = "unlinked"
    ILLEGAL = "illegal"


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    reason: str = ""
    # Of the stored transaction or subscription.
    public_id: str = ""


@dataclass(slots=True)
class Plan:
    """The rows a batch adds or changes."""

    now: datetime
    charge_keys: list[ChargeKey] = field(default_factory=list)
    refund_keys: list[RefundKey] = field(default_factory=list)
    event_keys: list[SubscriptionEventKey] = field(default_factory=list)
    # Keys taken by an unlinked message, and the row that it became.
    linked_charges: list[tuple[str, str, UUID]] = field(default_factory=list)
    linked_refunds: list[tuple[str, str, str, UUID]] = field(default_factory=list)
    linked_events: list[tuple[str, str, UUID]] = field(default_factory=list)
    uncounted: list[tuple[str, str, str]] = field(default_factory=list)
    charges: dict[UUID, Charge] = field(default_factory=dict)
    lines: list[ChargeLine] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    unparked: list[Refund] = field(default_factory=list)
    # What is added to the refunded sum of charges stored earlier.
    refunded: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    new_subscriptions: dict[UUID, Subscription] = field(default_factory=dict)
    changed_subscriptions: dict[UUID, Subscription] = field(default_factory=dict)
    events: list[SubscriptionEvent] = field(default_factory=list)
    # Prices that a newer event raised: the subscription, before, after, and since when.
    price_rises: list[tuple[Subscription, int, int, datetime]] = field(default_factory=list)
    unlinked: list[UnlinkedMessage] = field(default_factory=list)
    rejected: list[RejectedMessage] = field(default_factory=list)
    done_unlinked: list[int] = field(default_factory=list)


def rejection(
    *,
    wallet_code: str,
    path: str,
    body: object,
    outcome: RejectedMessage.Outcome,
    reason: str,
    reference: str,
    now: datetime,
) -> RejectedMessage:
    return RejectedMessage(
        wallet_id=wallet_code,
        path=path,
        outcome=outcome,
        reason=reason,
        reference=reference,
        body=masked(body),
        body_hash=body_hash(body),
        received_at=now,
    )


def charge_key(item: Incoming, news: Bill, row_id: UUID | None) -> ChargeKey:
    return ChargeKey(
        wallet_id=item.wallet_code,
        bill_no=news.bill_no,
        user_index=item.user_index,
        occurred_at=news.occurred_at,
        amount=news.amount,
        row_id=row_id,
    )


def refund_key(item: Incoming, news: RefundNews, row_id: UUID | None) -> RefundKey:
    return RefundKey(
        wallet_id=item.wallet_code,
        bill_no=news.bill_no,
        refund_reference=news.refund_reference,
        user_index=item.user_index,
        occurred_at=news.occurred_at,
        amount=news.amount,
        row_id=row_id,
    )


def event_key(item: Incoming, news: SubscriptionNews, row_id: UUID | None) -> SubscriptionEventKey:
    return SubscriptionEventKey(
        wallet_id=item.wallet_code,
        event_reference=news.event_reference,
        user_index=item.user_index,
        occurred_at=news.occurred_at,
        fingerprint=news.fingerprint,
        row_id=row_id,
    )
