"""Missions as a member sees them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from credits.models import Mission, MissionProgress
from zone.members.models import Member

ONCE_ON = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class MissionCard:
    mission: Mission
    progress: int
    percent: int
    is_done: bool
    is_claimed: bool
    ends_on: date | None


def period_start(period: str, on: date) -> date:
    """The first day of the period that `on` is in; weeks begin on Monday."""
    if period == Mission.Period.WEEK:
        return on - timedelta(days=on.weekday())
    if period == Mission.Period.MONTH:
        return on.replace(day=1)
    return ONCE_ON


def list_missions(member: Member, *, now: datetime) -> list[MissionCard]:
    """The missions that run now, with the member's progress; finished ones last. Two reads."""
    running = list(
        Mission.objects.filter(
            Q(ends_at=None) | Q(ends_at__gt=now), is_active=True, starts_at__lte=now
        )
    )
    today = now.astimezone(ZoneInfo(member.time_zone)).date()
    rows = {
        (row.mission_id, row.period_on): row
        for row in MissionProgress.objects.filter(member=member, mission__in=running)
    }
    cards = [
        _card(mission, rows.get((mission.pk, period_start(mission.period, today))), today, member)
        for mission in running
    ]
    return sorted(cards, key=lambda card: card.is_claimed)


def _card(
    mission: Mission, row: MissionProgress | None, today: date, member: Member
) -> MissionCard:
    progress = min(row.progress, mission.target) if row else 0
    ends = [_period_end(mission.period, today)]
    if mission.ends_at:
        ends.append(mission.ends_at.astimezone(ZoneInfo(member.time_zone)).date())
    return MissionCard(
        mission=mission,
        progress=progress,
        percent=100 * progress // mission.target,
        is_done=progress >= mission.target,
        is_claimed=row is not None and row.claimed_at is not None,
        ends_on=min((end for end in ends if end), default=None),
    )


def _period_end(period: str, today: date) -> date | None:
    start = period_start(period, today)
    if period == Mission.Period.WEEK:
        return start + timedelta(days=6)
    if period == Mission.Period.MONTH:
        return (start + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return None
