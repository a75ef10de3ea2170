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
    member_id = member if isinstance(member, int) else member.pk
    return list_tiers([member_id]).get(member_id)


def list_reached_tiers(member: Member | int) -> list[str]:
    """Codes of the tiers the member has reached, the member's own last; empty without a plan."""
    standing = get_tier(member)
    return [] if standing is None else [tier.code for tier in standing.tiers[: standing.place + 1]]


def list_tiers(member_ids: Sequence[int]) -> dict[int, TierStanding]:
    """The tier of each member now, by key; empty while there is no plan.

    The same few queries for any number: the caches, and the journal for those whose cache lags.
    """
    plan = find_plan()
    if plan is None:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [plan.row.updated_at, list(member_ids)])
        cached = {member_id: facts for member_id, facts in cursor.fetchall() if facts}
    lagging = [member_id for member_id in member_ids if member_id not in cached]
    standings = {
        member_id: standing_by(plan, projection_of(facts)) for member_id, facts in cached.items()
    }
    for member_id, (projection, _seq) in project_members(plan, lagging).items():
        standings[member_id] = standing_by(plan, projection)
    return standings


# The cached facts, when they speak of the newest entry, of today and of the plan as it is.
_STATE = """
    SELECT a.member_id,
           CASE WHEN t.seq = a.seq AND t.plan_as_of = %s
                 AND (t.changes_on IS NULL OR ledger.today(a.zone) < t.changes_on)
                THEN t.facts::text END
    FROM ledger.account a JOIN credits_membertier t USING (member_id)
    WHERE a.member_id = ANY (%s)
"""


def project_member(plan: Plan, member_id: int) -> tuple[Projection, int]:
    """What the journal says, and the entry it goes up to."""
    return project_members(plan, [member_id])[member_id]


def project_members(plan: Plan, member_ids: Sequence[int]) -> dict[int, tuple[Projection, int]]:
    """What the journal says of each member, and the entry it goes up to."""
    if not member_ids:
        return {}
    keys = list(member_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.member_id, a.seq, ledger.today(a.zone) FROM ledger.account a"
            " WHERE a.member_id = ANY (%s)",
            [keys],
        )
        accounts = {member_id: (seq, today) for member_id, seq, today in cursor.fetchall()}
        days: dict[int, list[tuple[date, int]]] = {}
        if accounts:
            cursor.execute(
                "SELECT member_id, day, sum(available_change - debt_change)::int"
                " FROM ledger.entry WHERE member_id = ANY (%s) AND kind IN (%s, %s)"
                " AND counter <> ALL (%s::smallint[])"
                " GROUP BY member_id, day ORDER BY member_id, day",
                [list(accounts), Kind.EARN, Kind.CLAWBACK, [int(each) for each in UNCOUNTED]],
            )
            for member_id, day, earned in cursor.fetchall():
                days.setdefault(member_id, []).append((day, earned))
    nothing = (0, date(2000, 1, 1))  # Without an account nothing was ever earned.
    projected = {}
    for member_id in keys:
        seq, today = accounts.get(member_id, nothing)
        projected[member_id] = (project(plan.ladder, days.get(member_id, []), today), seq)
    return projected


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
