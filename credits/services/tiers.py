"""Keeping members' tiers: rising at once, falling after the grace, and telling them."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from credits.models import MemberTier, Tier, TierMove
from credits.queries.tiers import Plan, facts_of, find_plan, project_member
from credits.tiers import Projection
from zone.core.clock import database_now
from zone.core.nudge import nudge
from zone.notices.services import write_notice

MEMBERS_PER_COMMIT = 200
TOLD_DAYS_AHEAD = 30


def refresh_tiers(member_ids: Iterable[int]) -> int:
    """Bring these members' tiers up to the journal; says how many moved.

    Safe to repeat and to race: a member's row is taken first, so each move is recorded once.
    """
    plan = find_plan()
    if plan is None:
        return 0
    return sum(_refresh(plan, member_id) for member_id in sorted(set(member_ids)))


def mark_tiers_due(member_ids: Iterable[int]) -> None:
    """Have the sweep look at these members soon: one statement in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_DUE, [_DUE_NOW, sorted(set(member_ids))])
    nudge("credits.sweep_tiers")


_DUE_NOW = date(2000, 1, 1)
_MARK_DUE = """
    INSERT INTO credits_membertier (member_id, seq, facts, changes_on, computed_at)
    SELECT member_id, 0, '{}', %s, public.zone_now() FROM unnest(%s::bigint[]) member_id
    ON CONFLICT (member_id) DO UPDATE SET changes_on = excluded.changes_on
"""


def refresh_due_tiers(limit: int = MEMBERS_PER_COMMIT) -> int:
    """Look at members whose tier changes by the calendar; says how many were due."""
    plan = find_plan()
    if plan is None:
        return 0
    with transaction.atomic():
        tomorrow = (database_now() + timedelta(days=1)).date()  # A market may be a day ahead.
        due = list(
            MemberTier.objects.filter(changes_on__lte=tomorrow)
            .order_by("changes_on")
            .select_for_update(skip_locked=True)
            .values_list("member_id", flat=True)[:limit]
        )
        for member_id in sorted(due):
            _refresh(plan, member_id)
    return len(due)


@transaction.atomic
def _refresh(plan: Plan, member_id: int) -> bool:
    now = database_now()
    MemberTier.objects.bulk_create(
        [MemberTier(member_id=member_id, computed_at=now)], ignore_conflicts=True
    )
    row = (
        MemberTier.objects.select_for_update(of=("self",)).select_related("tier").get(pk=member_id)
    )
    at, seq = project_member(plan, member_id)
    tier, before = plan.tiers[at.place], row.tier
    _tell_of_ending(plan, member_id, tier, at, now)
    row.tier, row.seq, row.plan_as_of = tier, seq, plan.row.updated_at
    row.facts, row.changes_on, row.computed_at = facts_of(at), _look_again_on(at, now), now
    row.save()
    has_moved = before is not None and before.code != tier.code
    is_first_rise = before is None and at.place > 0
    if has_moved or is_first_rise:
        _record_move(member_id, before, tier, at, now)
    return has_moved or is_first_rise


def _look_again_on(at: Projection, now: datetime) -> date | None:
    """The next day of change, or thirty days before the tier ends, to tell of it."""
    days = [at.changes_on] if at.changes_on else []
    if at.keep_by and at.keep_gap:
        tell_on = at.keep_by - timedelta(days=TOLD_DAYS_AHEAD)
        days += [tell_on] if tell_on > now.date() + timedelta(days=1) else []
    return min(days, default=None)


def _record_move(
    member_id: int, before: Tier | None, tier: Tier, at: Projection, now: datetime
) -> None:
    is_up = before is None or tier.threshold > before.threshold
    move = TierMove.objects.create(
        member_id=member_id,
        from_code=before.code if before else "",
        to_code=tier.code,
        is_up=is_up,
        earned=at.earned,
        moved_at=now,
    )
    write_notice(
        member_id=member_id,
        kind="tier_up" if is_up else "tier_down",
        facts={"name": tier.names},
        link="/credits",
        dedupe_key=f"tier_move:{move.pk}",
        at=now,
    )


def _tell_of_ending(plan: Plan, member_id: int, tier: Tier, at: Projection, now: datetime) -> None:
    """A tier that ends within thirty days is told of once, with what would keep it."""
    if not at.keep_gap or at.keep_by is None:
        return
    if at.keep_by - now.date() > timedelta(days=TOLD_DAYS_AHEAD):
        return
    write_notice(
        member_id=member_id,
        kind="tier_ending",
        facts={"name": tier.names, "gap": at.keep_gap, "keep_by": at.keep_by.isoformat()},
        link="/credits",
        dedupe_key=f"tier_ending:{plan.row.pk}:{tier.code}:{at.keep_by.isoformat()}",
        at=now,
    )
