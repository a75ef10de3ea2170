"""What the check-in panel shows."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from credits.models import CheckIn, CheckInTrack, Streak
from credits.streaks import Forgiveness, Standing, count_tap, live_length
from zone.members.models import Member

DAYS_SHOWN = 7


@dataclass(frozen=True, slots=True)
class TrackDay:
    """One dot of the track. `is_gift`: a day that gives more than the day before it."""

    on: date
    reward: int
    is_done: bool
    is_today: bool
    is_gift: bool


@dataclass(frozen=True, slots=True)
class CheckInPanel:
    """`streak` is live: 0 once it is lost. `saves` says how many shields a tap now would use."""

    is_done: bool
    streak: int
    reward: int
    shields: int
    saves: int
    days: list[TrackDay]
    gift_in: int
    gift: int


def find_track() -> CheckInTrack | None:
    """The track in force."""
    return CheckInTrack.objects.filter(is_active=True).first()


def forgiveness_of(track: CheckInTrack) -> Forgiveness:
    return Forgiveness(
        margin=timedelta(hours=track.margin_hours),
        shield_every=track.shield_every,
        shields_max=track.shields_max,
    )


def standing_of(streak: Streak) -> Standing:
    return Standing(
        zone=streak.zone,
        last_on=streak.last_on,
        length=streak.length,
        shields=streak.shields,
        spare_on=streak.spare_on,
        tapped_at=streak.tapped_at,
    )


def get_check_in(member: Member, *, now: datetime) -> CheckInPanel | None:
    """The panel at `now`, or None while no track is in force. Two reads."""
    track = find_track()
    if track is None:
        return None
    rule = forgiveness_of(track)
    row = Streak.objects.filter(member=member).first()
    standing = standing_of(row) if row else Standing(zone=member.time_zone)
    tap = count_tap(standing, now=now, zone=member.time_zone, rule=rule)
    length = live_length(standing, now=now, zone=member.time_zone, rule=rule)
    is_done = not tap.days
    today = standing.last_on if is_done else now.astimezone(ZoneInfo(member.time_zone)).date()
    assert today is not None  # noqa: S101 - a day counted before has a date
    rewards = track.rewards
    position = (tap.after.length if not is_done else length) - 1
    days = _days(rewards, position=position, today=today, is_done=is_done)
    ahead = _next_gift(rewards, position + is_done)
    return CheckInPanel(
        is_done=is_done,
        streak=length,
        reward=rewards[position % len(rewards)],
        shields=standing.shields,
        saves=tap.shields_used,
        days=days,
        gift_in=ahead,
        gift=rewards[(position + is_done + ahead) % len(rewards)],
    )


def _days(rewards: list[int], *, position: int, today: date, is_done: bool) -> list[TrackDay]:
    """The seven days of the track around `position`, whose day is `today`."""
    place = position % len(rewards)
    first = place - place % DAYS_SHOWN
    last = min(first + DAYS_SHOWN, len(rewards))
    return [
        TrackDay(
            on=today + timedelta(days=number - place),
            reward=rewards[number],
            is_done=number < place or (number == place and is_done),
            is_today=number == place,
            is_gift=_is_gift(rewards, number),
        )
        for number in range(first, last)
    ]


def _is_gift(rewards: list[int], number: int) -> bool:
    return number > 0 and rewards[number] > rewards[number - 1]


def _next_gift(rewards: list[int], position: int) -> int:
    """How many days after `position` the next bigger day comes; 0 when that is the day itself."""
    for ahead in range(len(rewards)):
        if _is_gift(rewards, (position + ahead) % len(rewards)):
            return ahead
    return 0


def list_saved_days(member: Member, *, limit: int = 5) -> list[CheckIn]:
    """The last days that a shield or travel saved: nothing is repaired silently."""
    return list(
        CheckIn.objects.filter(member=member).exclude(how=CheckIn.How.TAP).order_by("-on")[:limit]
    )
