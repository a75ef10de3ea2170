"""How a subscription follows its events: the newest one tells the state, each keeps its own words."""

from datetime import datetime, timedelta

from zone.core.ids import uuid7
from zone.history.models import Subscription, SubscriptionEvent
from zone.history.services.ingest.known import Incoming
from zone.history.services.ingest.reading import SubscriptionNews

# Days between two period ends, and the ISO 8601 duration that they mean.
_PERIODS = (
    (6, 8, "P1W"), (27, 32, "P1M"), (58, 63, "P2M"), (88, 94, "P3M"), (179, 186, "P6M"),
    (360, 372, "P1Y"),
)  # fmt: skip
# A first event may come in the middle of its period; only a long stretch tells its length.
_LEAST_FIRST_PERIOD = timedelta(days=27)


def new_subscription(
    item: Incoming, news: SubscriptionNews, member_id: int, now: datetime
) -> Subscription:
    stretch = news.period_ends_at - news.occurred_at
    return Subscription(
        id=uuid7(news.occurred_at),
        wallet_id=item.wallet_code,
        member_id=member_id,
        reference=news.subscription_reference,
        service=news.service,
        plan=news.plan,
        status=news.status,
        is_trial=news.is_trial,
        price=news.price,
        currency=news.currency,
        period=period_of(stretch) if stretch >= _LEAST_FIRST_PERIOD else "",
        period_ends_at=news.period_ends_at,
        expiration_intent=news.expiration_intent,
        storefront=news.storefront,
        source=Subscription.Source.FEED,
        occurred_at=news.occurred_at,
        event_reference=news.event_reference,
        started_at=news.occurred_at,
        created_at=now,
    )


def follow(subscription: Subscription, news: SubscriptionNews) -> bool:
    """Take over a newer event; an older one may only move the first day back.

    Returns whether anything changed. Two events of one instant are ordered by their reference, so
    the end is the same in whatever order they come.
    """
    is_changed = False
    if news.occurred_at < subscription.started_at:
        subscription.started_at = news.occurred_at
        is_changed = True
    newest = (subscription.occurred_at, subscription.event_reference)
    if (news.occurred_at, news.event_reference) <= newest:
        return is_changed
    known_period = period_of(news.period_ends_at - subscription.period_ends_at)
    subscription.service = news.service
    subscription.plan = news.plan
    subscription.status = news.status
    subscription.is_trial = news.is_trial
    subscription.price = news.price
    subscription.period = known_period or subscription.period
    subscription.period_ends_at = news.period_ends_at
    subscription.expiration_intent = news.expiration_intent
    subscription.storefront = news.storefront
    subscription.occurred_at = news.occurred_at
    subscription.event_reference = news.event_reference
    return True


def new_event(
    subscription: Subscription, news: SubscriptionNews, now: datetime
) -> SubscriptionEvent:
    return SubscriptionEvent(
        id=uuid7(news.occurred_at),
        subscription_id=subscription.id,
        event_reference=news.event_reference,
        status=news.status,
        is_trial=news.is_trial,
        plan=news.plan,
        price=news.price,
        period_ends_at=news.period_ends_at,
        expiration_intent=news.expiration_intent,
        occurred_at=news.occurred_at,
        created_at=now,
    )


def period_of(stretch: timedelta) -> str:
    """The ISO 8601 duration that a stretch of days means; empty when it is none of the usual."""
    days = round(stretch / timedelta(days=1))
    return next((name for least, most, name in _PERIODS if least <= days <= most), "")
