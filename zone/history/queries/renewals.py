"""When Apple charges for a member's subscriptions: lists, calendar, totals."""

import calendar
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from zone.core import clock
from zone.core.money import Money
from zone.history.models import Charge, ChargeLine, PricePoint, Subscription, SubscriptionEvent
from zone.history.queries.activity import first_id, month_start, next_month
from zone.members.models import Member

# How often a period comes round in a year, and its length in months or days.
_A_YEAR = {"P1W": 52, "P1M": 12, "P2M": 6, "P3M": 4, "P6M": 2, "P1Y": 1}
_MONTHS = {"P1M": 1, "P2M": 2, "P3M": 3, "P6M": 6, "P1Y": 12}
PRICE_NEWS_DAYS = 45


@dataclass(frozen=True, slots=True)
class CalendarDay:
    on: date
    renewals: list[Subscription] = field(default_factory=list)
    paid: list[Charge] = field(default_factory=list)

    @property
    def is_marked(self) -> bool:
        return bool(self.renewals or self.paid)


@dataclass(frozen=True, slots=True)
class RenewalMonth:
    """One month: what is still to come from today on, and what was paid before."""

    month: date
    today: date
    weeks: list[list[CalendarDay | None]]
    to_come: list[Money]
    to_come_count: int
    paid: list[Money]
    paid_count: int


def list_subscriptions(member: Member) -> list[Subscription]:
    """All of a member's subscriptions: running ones by next date, then ended ones, newest first."""
    found = list(Subscription.objects.filter(member=member).order_by("period_ends_at", "id"))
    running = [each for each in found if each.status in Subscription.OPEN_STATUSES]
    ended = [each for each in found if each.status not in Subscription.OPEN_STATUSES]
    return running + ended[::-1]


def find_subscription(member: Member, subscription_id: UUID) -> Subscription | None:
    return Subscription.objects.filter(member=member, id=subscription_id).first()


def renewal_month(
    member: Member,
    subscriptions: list[Subscription],
    month: date,
    *,
    now: datetime | None = None,
) -> RenewalMonth:
    """The calendar of `month` for these subscriptions. One query, and none for months ahead.

    A renewal after the next one is where its period puts it, if the price stays.
    """
    zone = ZoneInfo(member.time_zone)
    moment = (now or clock.now()).astimezone(zone)
    today = moment.date()
    renewals: dict[date, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        if subscription.is_renewing and subscription.period_ends_at >= moment:
            first = subscription.period_ends_at.astimezone(zone).date()
            for day in _renewals_in(first, subscription.period, month):
                renewals[day].append(subscription)
    paid: dict[date, list[Charge]] = defaultdict(list)
    if month <= today:
        for charge in _paid_in(member, month, zone):
            paid[charge.paid_at.astimezone(zone).date()].append(charge)
    weeks: list[list[CalendarDay | None]] = [
        [
            CalendarDay(day, renewals.get(day, []), paid.get(day, []))
            if day.month == month.month
            else None
            for day in week
        ]
        for week in calendar.Calendar().monthdatescalendar(month.year, month.month)
    ]
    due = [subscription for day in sorted(renewals) for subscription in renewals[day]]
    charges = [charge for day in sorted(paid) for charge in paid[day]]
    return RenewalMonth(
        month=month,
        today=today,
        weeks=weeks,
        to_come=_totals((each.currency, each.price) for each in due),
        to_come_count=len(due),
        paid=_totals((each.currency, each.subscription_amount) for each in charges),
        paid_count=len(charges),
    )


def _paid_in(member: Member, month: date, zone: ZoneInfo) -> list[Charge]:
    return list(
        Charge.objects.filter(
            member=member,
            id__gte=first_id(month_start(month, zone)),
            id__lt=first_id(month_start(next_month(month), zone)),
            subscription_amount__gt=0,
            status=Charge.Status.SUCCEEDED,
        ).order_by("id")
    )


def _renewals_in(first: date, period: str, month: date) -> Iterator[date]:
    """The days of `month` on which something renews that renews on `first` next."""
    end = next_month(month)
    if first >= end:
        return
    if period == "P1W":
        weeks_ahead = max(0, -((first - month).days // 7))
        number = first.toordinal() + 7 * weeks_ahead
        while number < end.toordinal():
            if number >= month.toordinal():
                yield date.fromordinal(number)
            number += 7
        return
    step = _MONTHS.get(period)
    apart = (month.year - first.year) * 12 + month.month - first.month
    if apart == 0 or (step and apart > 0 and apart % step == 0):
        last_day = calendar.monthrange(month.year, month.month)[1]
        yield month.replace(day=min(first.day, last_day))


def _totals(amounts: Iterator[tuple[str, int]]) -> list[Money]:
    """One sum for each currency: currencies are never added together."""
    sums: dict[str, int] = defaultdict(int)
    for currency, value in amounts:
        sums[currency] += value
    return [Money(currency, value) for currency, value in sorted(sums.items())]


def yearly_totals(subscriptions: list[Subscription]) -> list[Money]:
    """What a year costs if everything renews at today's price; unknown periods are left out."""
    return _totals(
        (each.currency, each.price * _A_YEAR[each.period])
        for each in subscriptions
        if each.is_renewing and each.period in _A_YEAR
    )


def list_price_rises(
    subscriptions: list[Subscription], *, now: datetime
) -> list[tuple[Subscription, PricePoint, PricePoint]]:
    """Running subscriptions that became dearer lately, with the price before and after. One query."""
    running = {each.id: each for each in subscriptions if each.is_renewing}
    points: dict[UUID, list[PricePoint]] = defaultdict(list)
    for point in PricePoint.objects.filter(subscription__in=running).order_by("effective_at"):
        points[point.subscription_id].append(point)
    rises = []
    for key, history in points.items():
        if len(history) < 2:
            continue
        before, after = history[-2:]
        age = now - after.effective_at
        if after.price > before.price and age.days < PRICE_NEWS_DAYS:
            rises.append((running[key], before, after))
    return rises


@dataclass(frozen=True, slots=True)
class SubscriptionHistory:
    events: list[SubscriptionEvent]
    payments: list[ChargeLine]
    prices: list[PricePoint]
    spent: int


def get_history(member: Member, subscription: Subscription) -> SubscriptionHistory:
    """What happened to a subscription and what was paid for it, newest first. Three queries."""
    payments = list(
        ChargeLine.objects.filter(
            charge__member=member,
            charge_id__gte=first_id(subscription.started_at.replace(day=1)),
            subscription_reference=subscription.reference,
        )
        .select_related("charge")
        .order_by("-charge_id", "line_no")
    )
    return SubscriptionHistory(
        events=list(
            SubscriptionEvent.objects.filter(subscription=subscription).order_by("-id")[:60]
        ),
        payments=payments,
        prices=list(PricePoint.objects.filter(subscription=subscription)),
        spent=sum(line.amount for line in payments),
    )
