"""Working out ahead when a benefit that keeps hours is open, as instants in its own zone.

The hours are a calendar's, so the worker follows the calendar; a claim compares instants alone.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil import rrule
from django.db import transaction
from django.db.models import Q

from benefits.models import OpeningHours, OpeningSpan
from benefits.models.opening import read_rule
from zone.core.clock import database_now
from zone.core.stuck import Attempts

AHEAD_DAYS = 90
# With nothing that near, the next opening is looked for this far ahead.
SEARCH_DAYS_MAX = 1100
PLAN_AGAIN_DAYS = 30
BATCH_ROWS = 100


def find_openings(
    hours: OpeningHours, *, since: date, until: date
) -> Iterator[tuple[datetime, datetime]]:
    """Each opening that begins on a day from `since` to `until`, in order.

    A local time that a clock change skips counts with the offset from before the change, and one
    that it repeats means the first (RFC 5545 section 3.3.5).
    """
    zone = ZoneInfo(hours.time_zone)
    for day in _days(hours, since=since, until=until):
        closes_on = day
        if hours.closes_at_local <= hours.opens_at_local:
            closes_on = day + timedelta(days=1)
        starts_at = datetime.combine(day, hours.opens_at_local, tzinfo=zone)
        ends_at = datetime.combine(closes_on, hours.closes_at_local, tzinfo=zone)
        # Both local times may fall into the one hour that a change skips: then it never opens.
        if starts_at.timestamp() < ends_at.timestamp():
            yield starts_at, ends_at


def _days(hours: OpeningHours, *, since: date, until: date) -> list[date]:
    since = max(since, hours.starts_on)
    until = min(until, hours.ends_on or until)
    if hours.dates:
        return sorted(day for day in set(hours.dates) if since <= day <= until)
    if hours.rule:
        rule = read_rule(hours.rule, starts_on=hours.starts_on)
    else:
        rule = rrule.rrule(
            rrule.WEEKLY,
            dtstart=datetime.combine(hours.starts_on, time()),
            byweekday=[day - 1 for day in hours.weekdays],
        )
    first, last = (datetime.combine(day, time()) for day in (since, until))
    return [found.date() for found in rule.between(first, last, inc=True)]


def plan_hours(hours: OpeningHours, *, now: datetime) -> int:
    """What is still to come of these hours is worked out afresh; how many openings there are.

    Openings that are over stay as they were. Safe to repeat.
    """
    today = now.astimezone(ZoneInfo(hours.time_zone)).date()
    since = today - timedelta(days=2)  # One that began before midnight may still be open.
    coming: list[tuple[datetime, datetime]] = []
    if hours.is_active:
        for days in (AHEAD_DAYS, SEARCH_DAYS_MAX):
            until = today + timedelta(days=days)
            coming = [
                span for span in find_openings(hours, since=since, until=until) if span[1] > now
            ]
            if any(starts_at > now for starts_at, _ in coming):
                break
    with transaction.atomic():
        OpeningHours.objects.select_for_update().get(pk=hours.pk)
        OpeningSpan.objects.filter(hours=hours, ends_at__gt=now).delete()
        OpeningSpan.objects.bulk_create(
            OpeningSpan(
                hours=hours, benefit_id=hours.benefit_id, starts_at=starts_at, ends_at=ends_at
            )
            for starts_at, ends_at in coming[:AHEAD_DAYS]
        )
        OpeningHours.objects.filter(pk=hours.pk).update(
            planned_until=now + timedelta(days=AHEAD_DAYS)
        )
    return len(coming)


def plan_openings() -> int:
    """Keep every calendar worked out ahead. Safe to kill and to run twice."""
    now = database_now()
    due = OpeningHours.objects.filter(
        Q(planned_until=None) | Q(planned_until__lt=now + timedelta(days=PLAN_AGAIN_DAYS)),
        is_active=True,
    )
    planned = 0
    attempts = Attempts("opening_hours")
    due = due.exclude(pk__in=attempts.left_out)
    for hours in due.order_by("planned_until", "pk")[:BATCH_ROWS]:
        with attempts.at(hours.pk):
            plan_hours(hours, now=now)
            planned += 1
    return planned
