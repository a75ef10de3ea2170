"""Holding a unit for a member for a while: asked for by a partner, kept by the database."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from benefits import claim_sql, errors
from benefits.models import Release, StockHold, WaitlistEntry
from benefits.models.claim import COUNTED
from benefits.services.claims import refuse_unless_eligible
from zone.members.models import Member

# However often it is extended, a unit that nobody claims is not parked for longer than this.
HOLD_FOR_MAX = timedelta(hours=2)
State = WaitlistEntry.State
STATUSES = {
    State.OFFERED: "held",
    State.CLAIMED: "claimed",
    State.DECLINED: "released",
    State.LAPSED: "expired",
}


def status_of(hold: StockHold, *, now: datetime) -> str:
    """held, claimed, released or expired; a time that is over is over before any sweep."""
    entry = hold.entry
    is_over = entry.offered_until is not None and entry.offered_until <= now
    if entry.state == State.OFFERED and is_over:
        return "expired"
    return STATUSES[State(entry.state)]


def hold_unit(
    *,
    member: Member,
    release: Release,
    op_id: UUID,
    lasts: timedelta,
    partner_id: int,
    livemode: bool,
    external_id: str,
    now: datetime,
) -> StockHold:
    """The next unit of a release is this member's to claim for a while, and nobody else's.

    What is not claimed in time goes to the next in line, or back to everybody.

    Raises SoldOut, AlreadyHeld, LimitReached for whoever has all they may have, and what a claim
    would be refused with.
    """
    refuse_unless_eligible(member=member, release=release, now=now)
    if member.claims.filter(COUNTED, release=release).count() >= release.per_member:
        raise errors.LimitReached(limit=release.per_member)
    with transaction.atomic():
        code, entry_id = claim_sql.hold_slot(
            release_id=release.pk, member_id=member.pk, op_id=op_id, until=now + lasts
        )
        if code == "already_held":
            raise errors.AlreadyHeld()
        if entry_id is None:
            raise errors.SoldOut()
        return StockHold.objects.create(
            entry_id=entry_id,
            partner_id=partner_id,
            livemode=livemode,
            external_id=external_id,
            created_at=now,
        )


def extend_hold(*, hold: StockHold, lasts: timedelta, now: datetime) -> StockHold:
    """The same unit for longer, never shorter; at most two hours from the first call.

    Raises HoldOver when it was claimed, released or let pass.
    """
    until = min(now + lasts, hold.created_at + HOLD_FOR_MAX)
    if claim_sql.extend_hold(entry_id=hold.entry_id, until=until) is None:
        hold.entry.refresh_from_db()
        raise errors.HoldOver(status=status_of(hold, now=now))
    hold.entry.refresh_from_db()
    return hold


def release_hold(*, hold: StockHold, now: datetime) -> StockHold:
    """The unit goes to the next in line, or back to everybody. Safe to repeat.

    Raises HoldOver once it was claimed.
    """
    with transaction.atomic():
        ended = claim_sql.end_place(entry_id=hold.entry_id, state=State.DECLINED, now=now)
    hold.entry.refresh_from_db()
    if not ended and hold.entry.state == State.CLAIMED:
        raise errors.HoldOver(status="claimed")
    return hold
