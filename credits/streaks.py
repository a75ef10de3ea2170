"""Which day a tap counts for, and what a streak forgives: arithmetic alone, no reading, no writing.

Days are those of the member's home zone, numbered, so a night of 23 or 25 hours is one night. Who
taps once in every home day never loses a streak. Who travels and taps once in every day *where they
are* does not lose it either, while they stay within the margin of home: a tap soon after midnight
may stand for the day before, when that one is missing, and a second tap late in the evening is kept
as a spare for the day after.

Whoever moves east finds that their calendar has jumped over a date: nobody could tap in it, so it
counts as theirs. After a move days are missed by hours alone, never by dates.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

# Two taps closer than this are one tap made twice.
SPARE_APART = timedelta(hours=1)
_DAY = timedelta(days=1)
# What a night of a change of clocks, and a tap that was made twice, may add to two days.
_MOVE_SLACK = timedelta(hours=1) + SPARE_APART


@dataclass(frozen=True, slots=True)
class Forgiveness:
    """What a streak forgives: see the fields of the same names in `CheckInTrack`."""

    margin: timedelta
    shield_every: int
    shields_max: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a streak stands before a tap."""

    zone: str
    last_on: date | None = None
    length: int = 0
    shields: int = 0
    spare_on: date | None = None
    tapped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CountedDay:
    """A day that now counts; `how` is a value of `CheckIn.How`, `streak` its place in the streak."""

    on: date
    how: str
    streak: int


@dataclass(frozen=True, slots=True)
class Tap:
    """What a tap did. No days: this day had been counted before. The last day is the tap's own."""

    days: list[CountedDay]
    after: Standing
    shields_used: int = 0
    has_restarted: bool = False
    has_new_shield: bool = False


def count_tap(standing: Standing, *, now: datetime, zone: str, rule: Forgiveness) -> Tap:
    """Count a tap at `now` of a member who lives in `zone`."""
    local = now.astimezone(ZoneInfo(zone))
    today = local.date()
    if standing.last_on is not None and today <= standing.last_on:
        return Tap([], _with_spare(standing, now=now, zone=zone, local=local, rule=rule))
    missing, jumped = _missing_days(standing, today, now=now, zone=zone)
    yesterday = today - _DAY
    days: list[CountedDay] = []
    length, shields = standing.length, standing.shields
    if missing and missing[0] == standing.spare_on:
        length += 1
        days.append(CountedDay(missing.pop(0), "early", length))
    is_late = bool(missing) and not jumped and _since_midnight(local) < rule.margin
    own = yesterday if is_late else today
    if is_late:
        missing.pop()
    used = len(missing) if len(missing) <= shields else 0
    has_restarted = len(missing) > used
    if has_restarted:
        is_late, own = False, today
        days = _own_day_of_late_tap(standing, today)
        length = len(days)
    else:
        for how, saved in (("shield", missing), ("moved", jumped)):
            for day in saved:
                length += 1
                days.append(CountedDay(day, how, length))
        shields -= used
    length += 1
    days.append(CountedDay(own, "late" if is_late else "tap", length))
    has_new_shield = length % rule.shield_every == 0 and shields < rule.shields_max
    after = replace(
        standing,
        zone=zone,
        last_on=own,
        length=length,
        shields=shields + has_new_shield,
        spare_on=_spare_after(standing, own, today=today, local=local, rule=rule),
        tapped_at=now,
    )
    return Tap(days, after, used, has_restarted, has_new_shield)


def live_length(standing: Standing, *, now: datetime, zone: str, rule: Forgiveness) -> int:
    """The streak as it would go on by a tap now; 0 when it is lost."""
    today = now.astimezone(ZoneInfo(zone)).date()
    if standing.last_on is None:
        return 0
    if today <= standing.last_on:
        return standing.length
    return (
        0 if count_tap(standing, now=now, zone=zone, rule=rule).has_restarted else standing.length
    )


def _missing_days(
    standing: Standing, today: date, *, now: datetime, zone: str
) -> tuple[list[date], list[date]]:
    """The dates since the last one that counts: those without a tap, and those a move jumped over."""
    if standing.last_on is None:
        return [], []
    count = (today - standing.last_on).days - 1
    dates = [standing.last_on + _DAY * number for number in range(1, count + 1)]
    missed = count
    if zone != standing.zone and standing.tapped_at is not None:
        missed = min(count, max(0, (now - standing.tapped_at - _MOVE_SLACK) // _DAY - 1))
    return dates[:missed], dates[missed:]


def _own_day_of_late_tap(standing: Standing, today: date) -> list[CountedDay]:
    """Yesterday, when it was tapped but stood for the day before it: a new streak begins there."""
    if standing.tapped_at is None or standing.last_on is None:
        return []
    tapped_on = standing.tapped_at.astimezone(ZoneInfo(standing.zone)).date()
    is_yesterday = tapped_on == today - _DAY > standing.last_on
    return [CountedDay(tapped_on, "tap", 1)] if is_yesterday else []


def _with_spare(
    standing: Standing, *, now: datetime, zone: str, local: datetime, rule: Forgiveness
) -> Standing:
    """After a tap on a day that counts already: late in the evening it is kept for tomorrow.

    The tap also says where home is now: the next move is counted from there.
    """
    last = standing.tapped_at
    standing = replace(standing, zone=zone)
    if last is not None and now - last < SPARE_APART:
        return standing
    is_evening = _until_midnight(local) <= rule.margin and local.date() == standing.last_on
    spare_on = local.date() + _DAY if is_evening else standing.spare_on
    return replace(standing, spare_on=spare_on, tapped_at=now)


def _spare_after(
    standing: Standing, own: date, *, today: date, local: datetime, rule: Forgiveness
) -> date | None:
    """A spare for the very day that was tapped moves on by a day, if this tap was late itself."""
    if standing.spare_on == own == today and _until_midnight(local) <= rule.margin:
        return own + _DAY
    return None


def _since_midnight(local: datetime) -> timedelta:
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)


def _until_midnight(local: datetime) -> timedelta:
    return _DAY - _since_midnight(local)
