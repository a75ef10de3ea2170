"""Showing a code: the only verb that opens one, and it leaves a line behind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from benefits.errors import ClaimInTransit, ClaimNotUsable, ClaimPending
from benefits.models import Claim, Code, Release
from benefits.models.release import Fulfilment
from benefits.queries import Standing
from benefits.sealed import OpenCode
from benefits.services import pools
from benefits.services.claims import make_claim
from benefits.services.moves import record_event
from benefits.services.trials import TRIAL_KINDS, start_trial
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class Revealed:
    """A code in clear for its owner. `code` is empty for a benefit that has none."""

    code: str
    redeem_url: str
    revealed_at: datetime


def claim_and_reveal(
    *, member: Member, release: Release, standing: Standing, op_id: UUID, now: datetime, **how: Any
) -> tuple[Claim, Revealed | None]:
    """`make_claim` for a member who means to see what they get: a code in hand is shown at once.

    Granting and showing are one commit. None for a retry, whose code `reveal_claim` shows again,
    and for a benefit that has no code yet, or none at all. Raises what `make_claim` raises.
    """
    # A trial begins when it is shown: that is more than the claim's own transaction does.
    is_plain = release.mode == Fulfilment.CODES and release.benefit.kind not in TRIAL_KINDS
    # A choice can be changed until it is seen, so it is not shown before it is asked for.
    is_plain = is_plain and not standing.is_choice
    made = make_claim(
        member=member,
        release=release,
        standing=standing,
        op_id=op_id,
        now=now,
        reveals=is_plain,
        **how,
    )
    claim = made.claim
    if made.sealed is None or claim.revealed_at is None:
        return claim, None
    opened = pools.open_code(made.sealed)
    return claim, Revealed(opened.code, opened.redeem_url, claim.revealed_at)


def reveal_claim(*, claim: Claim, now: datetime, actor: str) -> Revealed:
    """Open the code of a granted claim for its owner.

    The first reveal seals the moment: from then on the slot never goes back to stock. Each reveal
    is an event in the same commit that shows the code. Safe to repeat: the same code every time.

    A ticket hides nothing: there is nothing to show, and it can be undone as before.

    Raises ClaimPending while it is being prepared, ClaimInTransit while a gift of it is under
    way, ClaimNotUsable when it has ended.
    """
    if claim.mode == Fulfilment.DRAW:
        return Revealed("", "", claim.granted_at or now)
    with transaction.atomic():
        # One row lock: a reveal and an expiry, revocation or return of one claim take turns.
        locked = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
        if locked.frozen_at is not None:
            raise ClaimInTransit()
        state = locked.state_at(now)
        if state == Claim.State.RESERVED:
            raise ClaimPending()
        if state not in (Claim.State.GRANTED, Claim.State.REDEEMED):
            raise ClaimNotUsable(status=state)
        code = (
            Code.objects.filter(release_id=locked.release_id, slot=locked.slot)
            .select_related("batch")
            .first()
        )
        opened = pools.open_code(code) if code is not None else OpenCode("", "")
        if locked.revealed_at is None:
            locked.revealed_at = now
            locked.updated_at = now
            locked.save(update_fields=["revealed_at", "updated_at"])
            start_trial(claim=locked, now=now)
        record_event(
            locked, was=locked.state, to=locked.state, cause="reveal", actor=actor, now=now
        )
    claim.revealed_at = locked.revealed_at
    return Revealed(opened.code, opened.redeem_url, locked.revealed_at)
