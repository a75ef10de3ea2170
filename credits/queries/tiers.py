"""A member's tier: by the cache when it speaks of the journal as it is, else by the journal."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import connection

from credits.kinds import Counter, Kind
from credits.models import Tier, TierPlan
from credits.tiers import Ladder, Projection, Rung, project
from zone.members.models import Member

# What counts as earned: everything a member did, not what an operator corrected or carried over.
UNCOUNTED = (Counter.ADJUSTMENTS, Counter.OPENING)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan in force with its tiers, lowest first."""

    row: TierPlan
    tiers: tuple[Tier, ...]
    ladder: Ladder


@dataclass(frozen=True, slots=True)
class TierStanding:
    """A member's tier and what is next. `place` rises with the tier: rules compare places."""

    tier: Tier
    next_tier: Tier | None
    tiers: tuple[Tier, ...]
    place: int
    earned: int
    to_next: int
    percent: int
    keep_gap: int
    keep_by: date | None
    is_in_grace: bool

    @property
    def code(self) -> str:
        return self.tier.code

    @property
    def rungs(self) -> list[tuple[Tier, bool, bool]]:
        """Each tier of the ladder, whether it is reached, and whether it is the member's."""
        return [(tier, at <= self.place, at == self.place) for at, tier in enumerate(self.tiers)]


def find_plan() -> Plan | None:
    """The plan in force; None when there is none, or it has no tier that asks for nothing."""
    row = TierPlan.objects.filter(is_active=True).prefetch_related("tiers").first()
    tiers = tuple(sorted(row.tiers.all(), key=lambda tier: tier.threshold)) if row else ()
    if row is None or not tiers or tiers[0].threshold != 0:
        return None
    ladder = Ladder(
        is_calendar=row.period == TierPlan.Period.CALENDAR,
        months=row.months,
        grace_days=row.grace_days,
        rungs=tuple(Rung(tier.code, tier.threshold, tier.is_kept_forever) for tier in tiers),
    )
    return Plan(row, tiers, ladder)


def get_tier(member: Member | int) -> TierStanding | None:
    """The member's tier now, or None while there is no plan. Never older than the journal."""
    plan = find_plan()
    if plan is None:
        return None
    member_id = member if isinstance(member, int) else member.pk
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [plan.row.updated_at, member_id])
        row = cursor.fetchone()
    if row and row[0]:
        return standing_by(plan, projection_of(row[0]))
    return standing_by(plan, project_member(plan, member_id)[0])


# The cached facts, when they speak of the newest entry, of today and of the plan as it is.
_STATE = """
    SELECT CASE WHEN t.seq = a.seq AND t.plan_as_of = %s
                 AND (t.changes_on IS NULL OR ledger.today(a.zone) < t.changes_on)
                THEN t.facts::text END
    FROM ledger.account a JOIN credits_membertier t USING (member_id) WHERE a.member_id = %s
"""


def project_member(plan: Plan, member_id: int) -> tuple[Projection, int]:
    """What the journal says, and the entry it goes up to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.seq, ledger.today(a.zone) FROM ledger.account a WHERE a.member_id = %s",
            [member_id],
        )
        account = cursor.fetchone()
        if account is None:
            return project(plan.ladder, [], date(2000, 1, 1)), 0
        cursor.execute(
            "SELECT day, sum(available_change - debt_change)::int FROM ledger.entry"
            " WHERE member_id = %s AND kind IN (%s, %s) AND counter <> ALL (%s::smallint[])"
            " GROUP BY day ORDER BY day",
            [member_id, Kind.EARN, Kind.CLAWBACK, [int(each) for each in UNCOUNTED]],
        )
        days: Sequence[tuple[date, int]] = cursor.fetchall()
    seq, today = account
    return project(plan.ladder, days, today), seq


def standing_by(plan: Plan, at: Projection) -> TierStanding:
    has_next = at.place + 1 < len(plan.tiers)
    return TierStanding(
        tier=plan.tiers[at.place],
        next_tier=plan.tiers[at.place + 1] if has_next else None,
        tiers=plan.tiers,
        place=at.place,
        earned=at.earned,
        to_next=at.to_next,
        percent=at.percent,
        keep_gap=at.keep_gap,
        keep_by=at.keep_by,
        is_in_grace=at.is_in_grace,
    )


def facts_of(at: Projection) -> dict[str, Any]:
    """A projection as the cache stores it; `projection_of` reads it back."""
    days = ("keep_by", "changes_on")
    return {
        name: value.isoformat() if name in days and value else value
        for name, value in asdict(at).items()
    }


def projection_of(facts: str | dict[str, Any]) -> Projection:
    stored = json.loads(facts) if isinstance(facts, str) else facts
    for name in ("keep_by", "changes_on"):
        stored[name] = date.fromisoformat(stored[name]) if stored[name] else None
    return Projection(**stored)
