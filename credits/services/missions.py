"""Progress of missions, from purchases and check-ins, and the reward: once in a period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from credits import errors, ledger
from credits.kinds import Counter
from credits.models import Mission, MissionProgress
from credits.queries import get_balance
from credits.queries.missions import period_start
from credits.services.events import Event, earn_for
from credits.services.tiers import refresh_tiers
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.core.ids import uuid7
from zone.members.models import Member
from zone.members.queries import has_active_binding


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a member did at `at`, on their day `on`; below zero when it was undone."""

    member_id: int
    metric: str
    amount: int
    at: datetime
    on: date
    currency: str = ""


_ADVANCE = """
    INSERT INTO credits_missionprogress AS p (mission_id, member_id, period_on, progress, updated_at)
    SELECT mission, member, period_on, greatest(0, moved), public.zone_now()
    FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::bigint[])
        u (mission, member, period_on, moved)
    ON CONFLICT (member_id, mission_id, period_on) DO UPDATE SET
        progress = excluded.progress + p.progress, updated_at = excluded.updated_at
"""
# What was claimed stays claimed, and its progress with it.
_ROLL_BACK = """
    UPDATE credits_missionprogress p
    SET progress = greatest(0, p.progress - u.moved), updated_at = public.zone_now()
    FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::bigint[])
        u (mission, member, period_on, moved)
    WHERE p.member_id = u.member AND p.mission_id = u.mission AND p.period_on = u.period_on
      AND p.claimed_at IS NULL
"""


def advance_missions(deeds: Sequence[Deed]) -> None:
    """Count deeds for every mission they fit. In the commit that counts the event itself, so once."""
    missions = list(Mission.objects.filter(is_active=True))
    moved: dict[tuple[int, int, date], int] = {}
    for mission in missions:
        for deed in deeds:
            if _fits(mission, deed):
                step = (
                    deed.amount if mission.metric == Mission.Metric.AMOUNT else _sign(deed.amount)
                )
                key = (deed.member_id, mission.pk, period_start(mission.period, deed.on))
                moved[key] = moved.get(key, 0) + step
    for statement, sign in ((_ADVANCE, 1), (_ROLL_BACK, -1)):
        # Rising members, as every batch takes them: two batches cannot deadlock.
        steps = sorted((key, sign * step) for key, step in moved.items() if sign * step > 0)
        if steps:
            columns: list[list[Any]] = [
                [key[1] for key, _step in steps],
                [key[0] for key, _step in steps],
                [key[2] for key, _step in steps],
                [step for _key, step in steps],
            ]
            with connection.cursor() as cursor:
                cursor.execute(statement, columns)


def _sign(amount: int) -> int:
    return 1 if amount > 0 else -1


def _fits(mission: Mission, deed: Deed) -> bool:
    return (
        mission.metric == deed.metric
        and mission.currency in ("", deed.currency)
        and mission.starts_at <= deed.at
        and (mission.ends_at is None or deed.at < mission.ends_at)
        and (deed.amount > 0 or mission.rolls_back)
    )


@transaction.atomic
def claim_mission(*, member: Member, slug: str) -> int:
    """Give the reward of a finished period, the oldest unclaimed first; says how many credits.

    Safe to repeat and to race: the row of the period is taken first and is claimed once.

    Raises NotFound, MissionNotDone, BindingNeeded, MemberFrozen, AccountClosed.
    """
    mission = Mission.objects.filter(slug=slug, is_active=True).first()
    if mission is None:
        raise NotFound
    if not has_active_binding(member):
        raise errors.BindingNeeded
    if get_balance(member).is_frozen:
        raise errors.MemberFrozen
    row = (
        MissionProgress.objects.select_for_update()
        .filter(member=member, mission=mission, claimed_at=None, progress__gte=mission.target)
        .order_by("period_on")
        .first()
    )
    if row is None:
        raise errors.MissionNotDone
    now = database_now()
    row.claimed_at, row.op_id = now, uuid7(now)
    row.save(update_fields=["claimed_at", "op_id"])
    ledger.earn(
        member_id=member.pk,
        op_id=row.op_id,
        amount=mission.reward,
        counter=Counter.MISSIONS,
        reason="mission",
        related=f"mission:{mission.slug}",
        occurred_at=now,
    )
    extra = earn_for(
        [
            Event(
                member=member,
                kind="mission",
                source=f"{mission.slug}:{row.period_on.isoformat()}",
                at=now,
                subject=mission.slug,
                related=f"mission:{mission.slug}"[:40],
            )
        ]
    )
    refresh_tiers([member.pk])
    return mission.reward + extra
