"""What providers tell us by themselves: kept at once, understood afterwards, counted once."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from benefits.errors import ClaimNotUsable
from benefits.models import Alarm, Claim, ProviderConfig, ProviderMessage
from benefits.providers.base import Canceled, Issued, Pending, Refused, Used
from benefits.providers.http import understand
from benefits.services import grants
from benefits.services.alarms import raise_alarm
from benefits.services.redemptions import redeem_claim
from zone.core import vault
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.nudge import nudge
from zone.core.stuck import Attempts

# An order that a message names and we do not know is looked for again, for this long.
PARKED_FOR = timedelta(hours=24)
PAUSE_SECONDS_MAX = 3600
BATCH_ROWS = 100
State = ProviderMessage.State


def keep_message(
    *, provider: ProviderConfig, message_id: str, claim: str, body: dict[str, Any], now: datetime
) -> bool:
    """Keep a message before anything is done with it. False for one that is kept already."""
    sealed = vault.wrap(json.dumps(body).encode(), purpose=_purpose(provider, message_id))
    is_new = ProviderMessage.objects.get_or_create(
        provider=provider,
        message_id=message_id,
        defaults={
            "claim_public_id": claim,
            "sealed": sealed,
            "received_at": now,
            "next_attempt_at": now,
        },
    )[1]
    nudge("benefits.tasks.drain_provider_messages")
    return is_new


def _purpose(provider: ProviderConfig, message_id: str) -> str:
    return f"benefits-provider-message:{provider.pk}:{message_id}"


def drain_provider_messages() -> int:
    """Act on every message that is due; how many. Several processes may run it."""
    done = 0
    while True:
        attempts = Attempts("provider_messages")
        with transaction.atomic():
            message = (
                ProviderMessage.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("provider")
                .filter(state=State.WAITING, next_attempt_at__lte=database_now())
                .exclude(pk__in=attempts.left_out)
                .order_by("next_attempt_at")
                .first()
            )
            if message is None:
                return done
            with attempts.at(message.pk):
                _act(message, now=database_now())
        done += 1


def _act(message: ProviderMessage, *, now: datetime) -> None:
    claim = (
        Claim.objects.select_related("benefit", "member", "release__provider")
        .filter(public_id=message.claim_public_id, release__provider=message.provider)
        .first()
    )
    message.attempts += 1
    if claim is None:
        _park(message, now=now)
    else:
        purpose = _purpose(message.provider, message.message_id)
        body = json.loads(vault.unwrap(message.sealed, purpose=purpose))
        message.outcome = _settle(
            claim, _understand(body), actor=f"provider:{message.provider.code}"
        )
        message.state, message.next_attempt_at, message.sealed = State.DONE, None, b""
    message.save()


def _understand(body: dict[str, Any]) -> object:
    """What a provider says by itself: an answer to an order, or what became of the thing since."""
    reference = str(body.get("reference", ""))
    if body.get("status") == "used" and reference:
        return Used(reference)
    if body.get("status") == "canceled":
        return Canceled()
    return understand(200, body)


def _settle(claim: Claim, answer: object, *, actor: str) -> str:
    """The same steps that an answer to our own question takes; a word for what came of it."""
    is_waiting = claim.state == Claim.State.RESERVED
    if isinstance(answer, Used):
        return note_use(claim, answer, actor=actor)
    if isinstance(answer, Canceled):
        return _note_end(claim)
    if isinstance(answer, Issued):
        grants.settle(claim, answer)
    elif isinstance(answer, Refused):
        if is_waiting:
            grants.settle(claim, answer)
        elif claim.state != Claim.State.FAILED:
            # It said yes before. What a member has stays; a person asks the provider.
            raise_alarm(Alarm.Kind.PROVIDER_CODE, claim.public_id, refused=answer.reason)
            return "contradicts"
    elif not isinstance(answer, Pending):
        return "not understood"
    if not is_waiting:
        return "known"
    claim.refresh_from_db(fields=["state"])
    return str(claim.state)


def note_use(claim: Claim, used: Used, *, actor: str) -> str:
    """Used where the provider keeps it. What was used was issued, whether or not we knew."""
    if claim.state == Claim.State.RESERVED:
        grants.settle(claim, Issued(used.reference))
        claim.refresh_from_db()
    if claim.state == Claim.State.REDEEMED:
        return "known"
    try:
        if claim.provider_reference != used.reference:
            raise ClaimNotUsable(status=claim.state)
        redeem_claim(claim=claim, now=database_now(), actor=actor)
    except ZoneError as refusal:
        raise_alarm(Alarm.Kind.PROVIDER_CODE, claim.public_id, used=refusal.code)
        return "contradicts"
    return "used"


def _note_end(claim: Claim) -> str:
    """Void at the provider. What we ended ourselves is no news; of anything else a person decides."""
    if claim.state in (Claim.State.RESERVED, Claim.State.GRANTED, Claim.State.REDEEMED):
        raise_alarm(Alarm.Kind.PROVIDER_CODE, claim.public_id, canceled=str(claim.state))
        return "contradicts"
    return "known"


def _park(message: ProviderMessage, *, now: datetime) -> None:
    """About an order we do not know, or not yet: look again later, each time twice as late."""
    if now - message.received_at >= PARKED_FOR:
        message.state, message.next_attempt_at = State.UNKNOWN, None
        message.outcome, message.sealed = "no such order", b""
        raise_alarm(
            Alarm.Kind.PROVIDER_CODE, message.claim_public_id, provider=message.provider.code
        )
        return
    pause = min(2 ** min(message.attempts, 12), PAUSE_SECONDS_MAX)
    message.next_attempt_at = now + timedelta(seconds=pause)
    message.outcome = "parked"
