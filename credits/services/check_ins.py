"""Checking in: one tap a day at home, its credits, and the streak."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from credits import errors, ledger
from credits.kinds import Counter
from credits.models import CheckIn, CheckInTrack, Streak
from credits.queries import get_balance
from credits.queries.check_ins import find_track, forgiveness_of, standing_of
from credits.services.events import Event, earn_for
from credits.services.missions import Deed, advance_missions
from credits.services.tiers import refresh_tiers
from credits.streaks import CountedDay, Standing, Tap, count_tap
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Member
from zone.members.queries import has_active_binding


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """What a tap did for the member; `is_first` is False when today was counted before."""

    is_first: bool
    credits: int
    streak: int
    shields_used: int
    shields: int
    has_new_shield: bool
    has_restarted: bool


@transaction.atomic
def check_in(*, member: Member) -> CheckedIn:
    """Count today for `member` and post its credits, in one commit.

    Safe to repeat and to race: the streak's row is taken first and a day has one row, so a second
    tap finds the day counted and posts nothing. Days that shields or travel saved get rows too.

    Raises CheckInClosed, BindingNeeded, MemberFrozen, AccountClosed.
    """
    track = find_track()
    if track is None:
        raise errors.CheckInClosed
    if not has_active_binding(member):
        raise errors.BindingNeeded
    if get_balance(member).is_frozen:
        raise errors.MemberFrozen
    Streak.objects.bulk_create(
        [Streak(member=member, zone=member.time_zone)], ignore_conflicts=True
    )
    row = Streak.objects.select_for_update().get(member=member)
    now = database_now()
    tap = count_tap(standing_of(row), now=now, zone=member.time_zone, rule=forgiveness_of(track))
    earned = _record_days(member, track, tap, now) if tap.days else 0
    _keep(row, tap.after)
    if tap.days:
        advance_missions([Deed(member.pk, "check_ins", 1, now, tap.days[-1].on)])
        earned += earn_for([_streak_day(member, day, now) for day in tap.days])
    if earned:
        refresh_tiers([member.pk])
    return CheckedIn(
        is_first=bool(tap.days),
        credits=earned,
        streak=tap.after.length,
        shields_used=tap.shields_used,
        shields=tap.after.shields,
        has_new_shield=tap.has_new_shield,
        has_restarted=tap.has_restarted,
    )


def _record_days(member: Member, track: CheckInTrack, tap: Tap, now: datetime) -> int:
    """One row for each day that now counts; the tap's own day earns what the track says."""
    own = tap.days[-1]
    amount = track.rewards[(own.streak - 1) % len(track.rewards)]
    op_id = uuid7(now) if amount else None
    rows = [_row(member, day, now) for day in tap.days]
    rows[-1].credits, rows[-1].op_id = amount, op_id
    CheckIn.objects.bulk_create(rows)
    if op_id is not None:
        ledger.earn(
            member_id=member.pk,
            op_id=op_id,
            amount=amount,
            counter=Counter.CHECK_IN,
            reason="check_in",
            related=f"day:{own.on.isoformat()}",
            occurred_at=now,
        )
    return amount


def _streak_day(member: Member, day: CountedDay, now: datetime) -> Event:
    """A day of the streak, however it came to count: a rule may want every seventh."""
    return Event(
        member=member,
        kind="streak",
        source=f"day:{day.on.isoformat()}",
        at=now,
        count=day.streak,
    )


def _row(member: Member, day: CountedDay, now: datetime) -> CheckIn:
    return CheckIn(
        member=member,
        on=day.on,
        how=day.how,
        streak=day.streak,
        credits=0,
        zone=member.time_zone,
        created_at=now,
    )


def _keep(row: Streak, after: Standing) -> None:
    row.zone, row.last_on, row.length = after.zone, after.last_on, after.length
    row.longest = max(row.longest, after.length)
    row.shields, row.spare_on, row.tapped_at = after.shields, after.spare_on, after.tapped_at
    row.save()
