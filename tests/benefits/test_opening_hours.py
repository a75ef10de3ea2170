"""Hours that come again: to the second, in zones whose clocks change, and said ahead."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from benefits import errors, queries
from benefits.models import OpeningHours, OpeningSpan
from benefits.services.openings import find_openings, plan_hours, plan_openings
from tests.benefits.factories import claim, make_benefit, make_release
from zone.core.clock import database_now

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = "America/New_York"


def hours_of(benefit, **fields):
    values = {
        "weekdays": [2, 4],
        "starts_on": date(2026, 1, 1),
        "opens_at_local": time(10),
        "closes_at_local": time(12),
    }
    hours = OpeningHours(benefit=benefit, **{**values, **fields})
    hours.full_clean()
    hours.save()
    return hours


@pytest.fixture
def at():
    """Set the database's clock to an instant, for this test's connection alone."""
    with connection.cursor() as cursor:

        def travel(instant):
            cursor.execute("SELECT clock_timestamp()")
            seconds = (instant - cursor.fetchone()[0]).total_seconds()
            cursor.execute(f"SET zone.clock_offset = '{seconds} seconds'")

        yield travel
        cursor.execute("RESET zone.clock_offset")


def local(year, month, day, *clock):
    return datetime(year, month, day, *clock, tzinfo=SHANGHAI)


@pytest.mark.django_db
def test_tuesday_and_thursday_from_ten_to_twelve_to_the_second(alice, at):
    benefit = make_benefit(per_member=5)
    release = make_release(benefit, codes=5)
    tuesday = local(2027, 3, 2)  # A Tuesday.
    at(tuesday - timedelta(days=1))
    plan_hours(hours_of(benefit), now=database_now())

    at(tuesday + timedelta(hours=10, seconds=-30))
    with pytest.raises(errors.NotStarted) as refused:
        claim(alice, release)
    assert refused.value.facts["opens_at"] == tuesday + timedelta(hours=10)
    card = queries.get_card(slug=benefit.slug, member=alice, available=0, now=database_now())
    assert (card.state, card.opens_at) == ("not_yet", tuesday + timedelta(hours=10))

    at(tuesday + timedelta(hours=10))
    assert claim(alice, release).state == "granted"
    at(tuesday + timedelta(hours=12, seconds=-30))
    assert claim(alice, release).state == "granted"

    at(tuesday + timedelta(hours=12))
    with pytest.raises(errors.NotStarted) as refused:
        claim(alice, release)
    assert refused.value.facts["opens_at"] == tuesday + timedelta(days=2, hours=10)
    assert alice.claims.count() == 2
    instant = timedelta(microseconds=1)
    assert [
        is_open(benefit, tuesday + timedelta(hours=hour) - earlier)
        for hour in (10, 12)
        for earlier in (instant, timedelta(0))
    ] == [False, True, True, False]


def is_open(benefit, instant):
    with connection.cursor() as cursor:
        cursor.execute("SELECT benefits_is_open(%s, %s)", [benefit.pk, instant])
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_after_the_last_single_day_it_has_ended(alice, at):
    benefit = make_benefit()
    release = make_release(benefit, codes=2)
    at(local(2027, 3, 1))
    hours = hours_of(benefit, weekdays=[], dates=[date(2027, 3, 8), date(2027, 3, 5)])
    assert plan_hours(hours, now=database_now()) == 2
    at(local(2027, 3, 6))
    with pytest.raises(errors.NotStarted) as refused:
        claim(alice, release)
    assert refused.value.facts["opens_at"] == local(2027, 3, 8, 10)
    at(local(2027, 3, 8, 12))
    with pytest.raises(errors.Ended):
        claim(alice, release)


@pytest.mark.django_db
def test_hours_add_up_and_those_switched_off_count_for_nothing(alice, at):
    benefit = make_benefit(per_member=9)
    release = make_release(benefit, codes=9)
    at(local(2027, 3, 1))
    plan_hours(hours_of(benefit), now=database_now())
    night = hours_of(benefit, weekdays=[3], opens_at_local=time(22), closes_at_local=time(2))
    plan_hours(night, now=database_now())
    at(local(2027, 3, 4, 1, 59))  # A Thursday; opened on Wednesday evening.
    claim(alice, release)
    at(local(2027, 3, 4, 2))
    with pytest.raises(errors.NotStarted):
        claim(alice, release)
    OpeningHours.objects.update(is_active=False)
    assert claim(alice, release).state == "granted"


def spans(since, until, **fields):
    values = {
        "starts_on": date(2026, 1, 1),
        "opens_at_local": time(10),
        "closes_at_local": time(12),
        "time_zone": NEW_YORK,
    }
    hours = OpeningHours(**{**values, **fields})
    found = find_openings(hours, since=since, until=until)
    return [(one.astimezone(UTC), other.astimezone(UTC)) for one, other in found]


def test_ten_oclock_is_ten_oclock_before_and_after_the_clocks_change():
    # 2027-03-14 and 2027-11-07 are the changes of New York.
    days = spans(date(2027, 3, 13), date(2027, 3, 14), weekdays=[6, 7])
    assert [start.hour for start, _ in days] == [15, 14]
    days = spans(date(2027, 11, 6), date(2027, 11, 7), weekdays=[6, 7])
    assert [start.hour for start, _ in days] == [14, 15]


@pytest.mark.parametrize(
    ("label", "opens", "closes", "day", "expected"),
    [
        ("skipped: from before the gap", time(2, 30), time(4), date(2027, 3, 14), ("07:30", "08:00")),
        ("across the gap an hour less", time(1), time(4), date(2027, 3, 14), ("06:00", "08:00")),
        ("repeated: the first one", time(1, 30), time(3), date(2027, 11, 7), ("05:30", "08:00")),
        ("across the repeat an hour more", time(0), time(3), date(2027, 11, 7), ("04:00", "08:00")),
    ],
)  # fmt: skip
def test_local_times_that_a_change_skips_or_repeats(label, opens, closes, day, expected):
    ((start, end),) = spans(day, day, weekdays=[7], opens_at_local=opens, closes_at_local=closes)
    assert (f"{start:%H:%M}", f"{end:%H:%M}") == expected, label


def test_a_rule_of_rfc_5545():
    days = spans(date(2027, 1, 1), date(2027, 4, 30), rule="FREQ=MONTHLY;BYDAY=1FR")
    assert [start.date() for start, _ in days] == [
        date(2027, 1, 1),
        date(2027, 2, 5),
        date(2027, 3, 5),
        date(2027, 4, 2),
    ]
    counted = spans(date(2026, 1, 1), date(2027, 1, 1), rule="FREQ=DAILY;INTERVAL=2;COUNT=3")
    assert [start.day for start, _ in counted] == [1, 3, 5]


@pytest.mark.parametrize(
    "fields",
    [
        {"weekdays": []},
        {"weekdays": [8]},
        {"rule": "FREQ=DAILY"},
        {"weekdays": [], "rule": "every friday"},
        {"weekdays": [], "rule": "FREQ=HOURLY"},
        {"weekdays": [], "rule": "FREQ=DAILY;BYHOUR=9,10"},
        {
            "weekdays": [],
            "rule": "DTSTART:20270101T000000\nRRULE:FREQ=DAILY\nRDATE:20270105T000000",
        },
        {"time_zone": "Asia/Nowhere"},
    ],
)
@pytest.mark.django_db
def test_what_no_calendar_can_follow_is_refused(fields):
    with pytest.raises(ValidationError):
        hours_of(make_benefit(), **fields)
    assert OpeningHours.objects.count() == 0


@pytest.mark.django_db
def test_the_calendar_is_kept_worked_out_ahead(at):
    hours = hours_of(make_benefit())
    start = local(2027, 3, 1)
    at(start)
    assert (plan_openings(), plan_openings()) == (1, 0)
    first = OpeningSpan.objects.order_by("-starts_at").first().starts_at
    assert timedelta(days=80) < first - start < timedelta(days=91)
    at(start + timedelta(days=61))
    assert plan_openings() == 1
    assert OpeningSpan.objects.order_by("-starts_at").first().starts_at > first
    assert OpeningSpan.objects.filter(ends_at__lte=database_now()).exists(), "the past stays"
    yearly = hours_of(hours.benefit, weekdays=[], rule="FREQ=YEARLY", starts_on=date(2027, 1, 1))
    plan_hours(yearly, now=database_now())
    assert yearly.spans.order_by("starts_at").first().starts_at == local(2028, 1, 1, 10)
