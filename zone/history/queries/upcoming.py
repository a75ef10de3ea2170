"""What Apple will charge in the coming days."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from zone.core import clock
from zone.core.money import Money
from zone.history.models import Subscription
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class UpcomingDay:
    """One day on the member's calendar; `subscriptions` are those that renew on it."""

    on: date
    subscriptions: list[Subscription] = field(default_factory=list)
    totals: list[Money] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class UpcomingWeek:
    days: list[UpcomingDay]
    totals: list[Money]
    count: int


def sum_prices(subscriptions: list[Subscription]) -> list[Money]:
    """One amount for each currency: currencies are never added together."""
    sums: dict[str, int] = defaultdict(int)
    for subscription in subscriptions:
        sums[subscription.currency] += subscription.price
    return [Money(currency, value) for currency, value in sorted(sums.items())]


def upcoming_charges(member: Member, days: int = 7, *, now: datetime | None = None) -> UpcomingWeek:
    """The renewals of the next `days` days, today included, by the member's own calendar. One query."""
    zone = ZoneInfo(member.time_zone)
    moment = (now or clock.now()).astimezone(zone)
    first = moment.date()
    end = datetime.combine(first + timedelta(days=days), datetime.min.time(), tzinfo=zone)
    renewing = list(
        Subscription.objects.filter(
            member=member,
            status__in=Subscription.RENEWING_STATUSES,
            period_ends_at__gte=moment,
            period_ends_at__lt=end,
        ).order_by("period_ends_at", "id")
    )
    by_day: dict[date, list[Subscription]] = defaultdict(list)
    for subscription in renewing:
        by_day[subscription.period_ends_at.astimezone(zone).date()].append(subscription)
    return UpcomingWeek(
        days=[
            UpcomingDay(day, by_day.get(day, []), sum_prices(by_day.get(day, [])))
            for day in (first + timedelta(days=step) for step in range(days))
        ],
        totals=sum_prices(renewing),
        count=len(renewing),
    )
