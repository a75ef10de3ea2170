"""How a claim changes state: a guarded update and its event, in the caller's transaction."""

from datetime import datetime
from typing import Any

from benefits import shapes
from benefits.errors import ClaimInTransit
from benefits.models import Claim, ClaimEvent
from zone.partners.models import Partner
from zone.partners.services import events


def lock_claim(claim: Claim) -> Claim:
    """The claim as it is now, its row ours until the commit. Raises ClaimInTransit."""
    locked = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
    if locked.frozen_at is not None:
        raise ClaimInTransit()
    return locked


def move_claim(
    claim: Claim,
    *,
    to: str,
    cause: str,
    actor: str,
    now: datetime,
    facts: dict[str, Any] | None = None,
    **changes: Any,
) -> bool:
    """Bring a claim from the state its caller saw to another, and record it.

    The partner that asked for the claim is told in the same commit.
    False when somebody was first: then nothing was written. Safe to repeat for that reason.
    """
    was = claim.state
    moved = Claim.objects.filter(pk=claim.pk, state=was).update(state=to, updated_at=now, **changes)
    if not moved:
        return False
    record_event(claim, was=was, to=to, cause=cause, actor=actor, now=now, facts=facts)
    claim.state = to
    for name, value in changes.items():
        setattr(claim, name, value)
    tell_partner(claim, was=was, cause=cause, now=now)
    return True


def tell_partner(claim: Claim, *, was: str, cause: str, now: datetime) -> None:
    """The event for the partner that asked for the claim, in the commit that changed it."""
    if claim.partner_id is None:
        return
    partner = Partner.objects.get(pk=claim.partner_id)
    read = shapes.for_partners(Claim.objects.filter(pk=claim.pk)).get()
    data = shapes.present_claims([read], partner=partner, livemode=claim.livemode, now=now)[0]
    word = "rolled_back" if cause == "roll_back" else data["status"]
    events.record_event(
        partner_id=partner.pk,
        livemode=claim.livemode,
        type=f"claim.{word}",
        data=data,
        previous={"status": "pending" if was == Claim.State.RESERVED else was} if was else None,
        at=now,
    )


def record_event(
    claim: Claim,
    *,
    was: str,
    to: str,
    cause: str,
    actor: str,
    now: datetime,
    facts: dict[str, Any] | None = None,
) -> None:
    ClaimEvent.objects.create(
        claim=claim, at=now, actor=actor, cause=cause, from_state=was, to_state=to, facts=facts
    )


def record_events(
    claims: list[tuple[Claim, dict[str, Any]]],
    *,
    was: str,
    to: str,
    cause: str,
    actor: str,
    now: datetime,
) -> None:
    """The same change of several claims, each with its own facts, in one statement."""
    ClaimEvent.objects.bulk_create(
        ClaimEvent(
            claim=claim, at=now, actor=actor, cause=cause, from_state=was, to_state=to, facts=facts
        )
        for claim, facts in claims
    )
