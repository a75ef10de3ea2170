"""How a claim changes state: a guarded update and its event, in the caller's transaction."""

from datetime import datetime
from typing import Any

from benefits.models import Claim, ClaimEvent


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
    return True


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
