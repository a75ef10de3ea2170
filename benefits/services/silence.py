"""What an operator does about a claim whose provider stays silent."""

from datetime import datetime

from django.db import transaction

from benefits.errors import ClaimNotUsable
from benefits.models import Claim
from benefits.services.grants import State, Status, fail
from benefits.services.moves import lock_claim, record_event
from zone.core.nudge import nudge


def ask_again(*, claim: Claim, actor: str, now: datetime) -> Claim:
    """An operator wants a waiting claim asked about at once. Raises ClaimNotUsable."""
    with transaction.atomic():
        locked = lock_claim(claim)
        if locked.state != State.RESERVED:
            raise ClaimNotUsable(status=locked.state)
        locked.next_attempt_at = now
        if locked.provider_status == Status.SILENT and locked.lease_until:
            locked.lease_until = now  # Fenced in, not under way: it is still asked about alone.
        locked.save(update_fields=["next_attempt_at", "lease_until"])
        record_event(locked, was=locked.state, to=locked.state, cause="ask", actor=actor, now=now)
    nudge("benefits.tasks.drain_grants")
    return locked


def give_up(*, claim: Claim, actor: str) -> None:
    """An operator knows from the provider that it never issued this: the hold is void.

    Only for a claim whose provider stayed silent. Raises ClaimNotUsable for any other.
    """
    claim.refresh_from_db()
    if claim.state != State.RESERVED or claim.provider_status != Status.SILENT:
        raise ClaimNotUsable(status=claim.state)
    if not fail(claim, "never_issued", provider_status=Status.REFUSED, actor=actor):
        raise ClaimNotUsable(status=claim.state)
