"""Daily drops: the release of each day, made ahead of its hour from a schedule."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError

from benefits.models import Benefit, DropSchedule
from benefits.services.stock import create_release
from zone.core.clock import database_now
from zone.core.stuck import Attempts

AHEAD_DAYS = 1  # Members see tomorrow's countdown from today on.


def make_drops() -> int:
    """Make today's and tomorrow's release of every running schedule. Returns how many were new.

    Safe to repeat and to race: one release per schedule and day, by a unique constraint.
    """
    now = database_now()
    made = 0
    schedules = DropSchedule.objects.filter(
        is_active=True, benefit__status__in=Benefit.SHOWN_STATUSES
    ).select_related("benefit", "provider")
    attempts = Attempts("daily_drops")
    for schedule in schedules.exclude(pk__in=attempts.left_out):
        with attempts.at(schedule.pk):
            made += _make_drops(schedule, now=now)
    return made


def _make_drops(schedule: DropSchedule, *, now: datetime) -> int:
    today = now.astimezone(ZoneInfo(schedule.time_zone)).date()
    wanted = {today + timedelta(days=ahead) for ahead in range(AHEAD_DAYS + 1)}
    there = schedule.releases.filter(drop_on__in=wanted).values_list("drop_on", flat=True)
    return sum(_make_drop(schedule, day, now=now) for day in sorted(wanted - set(there)))


def _make_drop(schedule: DropSchedule, day: date, *, now: datetime) -> int:
    if day < schedule.starts_on or (schedule.ends_on is not None and day > schedule.ends_on):
        return 0
    # A local time that a clock change skips is read with the offset before it, by PEP 495.
    opens_at = datetime.combine(day, schedule.opens_at_local, tzinfo=ZoneInfo(schedule.time_zone))
    closes_at = opens_at + timedelta(minutes=schedule.open_minutes)
    if closes_at <= now:
        return 0
    try:
        create_release(
            benefit=schedule.benefit,
            mode=schedule.mode,
            provider=schedule.provider,
            schedule=schedule,
            stock=schedule.stock,
            price_credits=schedule.price_credits,
            per_member=schedule.per_member,
            opens_at=opens_at,
            closes_at=closes_at,
            actor="worker",
            now=now,
        )
    except IntegrityError:
        return 0  # Another worker was first.
    return 1
