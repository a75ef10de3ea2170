"""Streaks forgive what they promise to forgive, in every zone and over every change of clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credits.streaks import Forgiveness, Standing, count_tap

RULE = Forgiveness(margin=timedelta(hours=8), shield_every=7, shields_max=2)
NO_SHIELDS = Forgiveness(margin=timedelta(hours=8), shield_every=7, shields_max=0)
HOME = "Asia/Shanghai"
# Zones that change their clocks, have odd offsets, or skipped a whole day.
ZONES = [
    HOME, "Asia/Manila", "Asia/Hong_Kong", "America/New_York", "Europe/Berlin",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Santiago",
]  # fmt: skip
SECONDS_A_DAY = 24 * 3600


def at(zone: str, day: date, second: int) -> datetime:
    """That second after midnight by the clocks of the zone, inside that very day."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) + timedelta(
        seconds=second
    )
    instant = local.astimezone(UTC)
    while instant.astimezone(ZoneInfo(zone)).date() < day:
        instant += timedelta(hours=1)
    while instant.astimezone(ZoneInfo(zone)).date() > day:
        instant -= timedelta(hours=1)
    return instant


def tap_all(taps, *, zone=HOME, rule=RULE):
    standing, seen = Standing(zone=zone), []
    for now in taps:
        tap = count_tap(standing, now=now, zone=zone, rule=rule)
        seen.append(tap)
        standing = tap.after
    return standing, seen


@settings(max_examples=400, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    first=st.dates(date(2011, 12, 1), date(2027, 12, 1)),
    seconds=st.lists(st.integers(0, SECONDS_A_DAY - 1), min_size=2, max_size=40),
)
def test_one_tap_in_every_home_day_never_loses_a_streak(zone, first, seconds):
    days = [first + timedelta(days=number) for number in range(len(seconds))]
    if zone == "Pacific/Apia":  # Samoa had no 30 December 2011: nobody can tap in it.
        days = [day for day in days if day != date(2011, 12, 30)]
    taps = [at(zone, day, second) for day, second in zip(days, seconds, strict=False)]

    standing, seen = tap_all(taps, zone=zone, rule=RULE if zone == "Pacific/Apia" else NO_SHIELDS)

    if zone == "Pacific/Apia" and days[0] < date(2011, 12, 30) < days[-1]:
        return
    assert [tap.days[-1].how for tap in seen] == ["tap"] * len(taps)
    assert standing.length == len(taps)


@settings(max_examples=400, deadline=None)
@given(
    first=st.dates(date(2026, 1, 1), date(2027, 12, 1)),
    walk=st.lists(
        st.tuples(st.integers(-8, 8), st.integers(0, SECONDS_A_DAY - 1)), min_size=2, max_size=40
    ),
)
def test_one_tap_in_every_day_wherever_one_is_never_loses_a_streak(first, walk):
    """Each day is lived at an offset of at most eight hours from home; the first one at home."""
    home_midnight = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(HOME))
    taps: list[datetime] = []
    for number, (hours_ahead, second) in enumerate(walk):
        ahead = timedelta(hours=hours_ahead if number else 0)
        now = home_midnight + timedelta(days=number, seconds=second) - ahead
        if taps and now - taps[-1] < timedelta(hours=1):
            now = taps[-1] + timedelta(hours=1)
            if (now + ahead - home_midnight).days != number:
                return  # Flown over this day so fast that no hour of it was left.
        taps.append(now)

    _, seen = tap_all(taps, rule=NO_SHIELDS)

    assert not any(tap.has_restarted for tap in seen)


@settings(max_examples=300, deadline=None)
@given(
    moves=st.lists(
        st.tuples(st.sampled_from(ZONES), st.integers(60, 3 * SECONDS_A_DAY)), max_size=40
    )
)
def test_no_day_counts_twice_whatever_zones_and_hours(moves):
    now = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
    standing, days, taps = Standing(zone=HOME), [], 0
    for zone, seconds in moves:
        now += timedelta(seconds=seconds)
        tap = count_tap(standing, now=now, zone=zone, rule=RULE)
        days += [day.on for day in tap.days]
        taps += bool(tap.days)
        standing = tap.after
    assert len(days) == len(set(days))
    assert days == sorted(days)


ALL_ZONES = sorted(available_timezones() - {"Factory", "localtime"})


@settings(max_examples=200, deadline=None)
@given(
    zones=st.lists(st.sampled_from(ALL_ZONES), min_size=2, max_size=20),
    first=st.dates(date(2026, 1, 1), date(2027, 12, 1)),
    second=st.integers(0, SECONDS_A_DAY - 1),
)
def test_a_move_to_another_zone_loses_no_day(zones, first, second):
    """Whoever taps every 24 hours keeps the streak though their home zone changes every day."""
    begin = at(zones[0], first, second)
    standing = Standing(zone=zones[0])
    for number, zone in enumerate(zones):
        tap = count_tap(standing, now=begin + timedelta(days=number), zone=zone, rule=NO_SHIELDS)
        assert not tap.has_restarted
        standing = tap.after


def test_a_move_east_and_staying_there_loses_no_day():
    """The date that New York never saw in Shanghai counts; so does the first whole day there."""
    evening = datetime(2026, 6, 1, 20, tzinfo=ZoneInfo("America/New_York"))
    standing = Standing(zone="America/New_York")
    hows = []
    for number, zone in enumerate(["America/New_York", HOME, HOME, HOME]):
        now = evening + timedelta(days=number)
        tap = count_tap(standing, now=now, zone=zone, rule=NO_SHIELDS)
        hows.append([(day.on.day, day.how) for day in tap.days])
        standing = tap.after
    assert hows == [[(1, "tap")], [(2, "moved"), (3, "tap")], [(4, "tap")], [(5, "tap")]]


def test_a_move_does_not_save_days_that_went_by():
    evening = datetime(2026, 6, 1, 20, tzinfo=ZoneInfo("America/New_York"))
    standing = count_tap(
        Standing(zone="America/New_York"), now=evening, zone="America/New_York", rule=NO_SHIELDS
    ).after
    later = evening + timedelta(hours=75)
    assert count_tap(standing, now=later, zone=HOME, rule=NO_SHIELDS).has_restarted


@settings(max_examples=500, deadline=None)
@given(
    first=st.dates(date(2026, 1, 1), date(2027, 12, 1)),
    homes=st.lists(
        st.tuples(
            st.sampled_from(ALL_ZONES),
            st.integers(1, 5 * SECONDS_A_DAY),  # how long this is home
            st.lists(st.floats(0, 0.999), min_size=9, max_size=9),  # when in each date the tap is
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_one_tap_in_every_home_day_survives_any_moves(first, homes):
    """A home day is a date lived at home, however short moving made it; one tap in each is enough."""
    now = datetime(first.year, first.month, first.day, 9, tzinfo=UTC)
    standing, length, days = Standing(zone=homes[0][0]), 0, []
    for zone, seconds, places in homes:
        end = now + timedelta(seconds=seconds)
        for begins, ends in _dates_lived(zone, now, end):
            moment = begins + (ends - begins) * places[len(days) % 9]
            tap = count_tap(standing, now=moment, zone=zone, rule=NO_SHIELDS)
            assert not tap.has_restarted
            assert tap.after.length >= length
            standing, length = tap.after, tap.after.length
            days += [day.on for day in tap.days]
        now = end
    assert days == sorted(set(days))


def _dates_lived(zone, begin, end):
    """The spans of [begin, end) by the zone's own midnights."""
    spans, at_ = [], begin
    while at_ < end:
        local = at_.astimezone(ZoneInfo(zone))
        after = at_
        while after < end and after.astimezone(ZoneInfo(zone)).date() == local.date():
            after += timedelta(minutes=30)
        low = after - timedelta(minutes=30)
        after = min(after, end)
        while after - low > timedelta(seconds=1):
            middle = low + (after - low) / 2
            same = middle.astimezone(ZoneInfo(zone)).date() == local.date()
            low, after = (middle, after) if same else (low, middle)
        spans.append((at_, max(after - timedelta(seconds=2), at_)))
        at_ = after
    return spans


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(HOME))


@pytest.mark.parametrize(
    ("label", "taps", "length", "hows"),
    [
        ("two days", [moment(1, 9), moment(2, 21)], 2, [["tap"], ["tap"]]),
        ("a double tap counts once", [moment(1, 9), moment(1, 9)], 1, [["tap"], []]),
        ("a missed day without shields", [moment(1, 12), moment(3, 12)], 1, [["tap"], ["tap"]]),
        ("soon after midnight", [moment(1, 12), moment(3, 2)], 2, [["tap"], ["late"]]),
        (
            "soon after midnight, and again by day",
            [moment(1, 12), moment(3, 2), moment(3, 12)],
            3,
            [["tap"], ["late"], ["tap"]],
        ),
        (
            "twice in an evening keeps the day after",
            [moment(1, 12), moment(1, 20), moment(3, 12)],
            3,
            [["tap"], [], ["early", "tap"]],
        ),
        (
            "a double tap in the evening is one tap",
            [moment(1, 20), moment(1, 20, 1), moment(3, 12)],
            1,
            [["tap"], [], ["tap"]],
        ),
        (
            "a late tap still begins a streak of its own",
            [moment(1, 12), moment(3, 2), moment(4, 12)],
            2,
            [["tap"], ["late"], ["tap", "tap"]],
        ),
    ],
)
def test_days(label, taps, length, hows):
    standing, seen = tap_all(taps, rule=NO_SHIELDS)
    assert standing.length == length
    assert [[day.how for day in tap.days] for tap in seen] == hows


def test_seven_days_earn_a_shield_and_it_saves_a_day():
    standing, seen = tap_all([moment(day, 12) for day in range(1, 8)])
    assert (standing.length, standing.shields, seen[-1].has_new_shield) == (7, 1, True)

    tap = count_tap(standing, now=moment(9, 12), zone=HOME, rule=RULE)

    assert [(day.on.day, day.how, day.streak) for day in tap.days] == [
        (8, "shield", 8),
        (9, "tap", 9),
    ]
    assert (tap.shields_used, tap.after.shields) == (1, 0)


def test_shields_that_do_not_suffice_are_kept():
    standing, _ = tap_all([moment(day, 12) for day in range(1, 8)])
    tap = count_tap(standing, now=moment(10, 12), zone=HOME, rule=RULE)
    assert (tap.has_restarted, tap.after.length, tap.after.shields) == (True, 1, 1)


def test_a_clock_that_steps_back_changes_nothing():
    standing, _ = tap_all([moment(5, 12)])
    assert count_tap(standing, now=moment(4, 12), zone=HOME, rule=RULE).days == []
