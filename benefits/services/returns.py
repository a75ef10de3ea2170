"""Giving an unseen benefit back: undone at full price for ten minutes, returned at a share later.

Whether it was seen is what counts: once the code was shown, nobody can know that it is unused.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from benefits import claim_sql
from benefits.errors import (
    ClaimInTransit,
    ClaimNotUsable,
    ClaimPending,
    ReturnRefused,
    ReturnUncertain,
    TicketDrawn,
)
from benefits.models import Claim, Gift
from benefits.models.release import Fulfilment
from benefits.providers.base import Canceled, Refused
from benefits.providers.registry import ProviderClosed, open_provider
from benefits.services.moves import lock_claim, move_claim
from benefits.services.tickets import find_close, leave_draw, lock_draw_of
from credits import ledger
from credits.kinds import Counter, Kind
from credits.models import Entry
from credits.services import standing
from zone.core.ids import uuid7
from zone.core.vault import VaultError

State = Claim.State
UNDO_FOR = timedelta(minutes=10)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReturnOffer:
    """What giving a claim back would do now. `undo_until` is set while it costs nothing."""

    credits_back: int
    undo_until: datetime | None

    @property
    def is_undo(self) -> bool:
        return self.undo_until is not None


def find_return_offer(claim: Claim, *, now: datetime) -> ReturnOffer | None:
    """What the owner would get for giving the claim back at `now`; None when it stays.

    Reads nothing but the claim with its terms, its benefit, its release and what it replaces; of a
    ticket also its draw.
    """
    is_whole = (
        claim.state_at(now) == State.GRANTED
        and claim.frozen_at is None
        and claim.revealed_at is None
        and claim.holds_slot
        and claim.granted_at is not None
        and not claim.redemptions.exists()
        # A gift is kept, given on or left: what it cost was its giver's.
        and not Gift.objects.filter(received_claim=claim).exists()
    )
    if not is_whole or claim.granted_at is None:
        return None
    if claim.mode == Fulfilment.PROVIDER:
        provider = claim.release.provider
        if provider is None or not provider.allows_return:
            return None
    undo_until = undo_end(claim.granted_at, claim.undo_until)
    if claim.mode == Fulfilment.DRAW:
        entries_close_at = find_close(claim, now=now)
        if entries_close_at is None:
            return None
        undo_until = min(undo_until, entries_close_at)
    worth = worth_of(claim)
    if now < undo_until:
        return ReturnOffer(worth, undo_until)
    terms = claim.terms or claim.benefit
    return ReturnOffer(worth * terms.return_percent // 100, None)


def worth_of(claim: Claim) -> int:
    """What was paid for a claim, or for the one it replaces, and was not given back since."""
    paid, given_back = claim, 0
    while not paid.price_credits and paid.replaces is not None:
        paid = paid.replaces
        revoked = paid.events.filter(cause="revoke").order_by("-id").first()
        given_back += (revoked.facts or {}).get("credits_back", 0) if revoked else 0
    return max(paid.price_credits - given_back, 0)


def undo_end(granted_at: datetime, undo_until: datetime | None) -> datetime:
    """Until when a claim can be undone at its full price."""
    return undo_until or granted_at + UNDO_FOR


def return_claim(
    *, claim: Claim, now: datetime, actor: str, expected_credits: int | None = None
) -> Claim:
    """A member gives an unused, unseen claim back: credits return, and the slot with its code.

    Claim, slot and credits move in one commit; the credits go back to the buckets they came from.
    A provider's claim is taken back at the provider first; asking it twice is one effect, so a
    return that was cut short is simply asked for again. `expected_credits` is what the page
    promised: with less on offer by now nothing happens.

    A ticket leaves its draw in the same commit.

    Raises ClaimPending, ClaimInTransit, ClaimNotUsable, ReturnRefused when the time for undoing ran out or the
    provider says no, ReturnUncertain when the provider does not answer, TicketDrawn once entries have closed.
    """
    _refuse_unless_returnable(claim, now=now, expected_credits=expected_credits)
    if claim.mode == Fulfilment.PROVIDER:
        _cancel_at_provider(claim)
    with transaction.atomic():
        draw = lock_draw_of(claim)
        locked = lock_claim(claim)
        offer = _refuse_unless_returnable(locked, now=now, expected_credits=expected_credits)
        if draw is not None:
            leave_draw(locked, draw=draw, now=now)
        move_claim(
            locked,
            to=State.RETURNED,
            cause="undo" if offer.is_undo else "return",
            actor=actor,
            now=now,
            facts={"credits_back": offer.credits_back},
            ended_at=now,
        )
        give_credits_back(locked, amount=offer.credits_back)  # The account first, as a claim does.
        claim_sql.let_go(claim_id=locked.pk, now=now)
    return locked


def _refuse_unless_returnable(
    claim: Claim, *, now: datetime, expected_credits: int | None
) -> ReturnOffer:
    if claim.frozen_at is not None:
        raise ClaimInTransit()
    state = claim.state_at(now)
    if state == State.RESERVED:
        raise ClaimPending()
    offer = find_return_offer(claim, now=now)
    if offer is None and claim.mode == Fulfilment.DRAW and state in (State.GRANTED, State.REDEEMED):
        raise TicketDrawn()
    if offer is None:
        raise ClaimNotUsable(status=state)
    if expected_credits is not None and offer.credits_back < expected_credits:
        raise ReturnRefused()
    return offer


def _cancel_at_provider(claim: Claim) -> None:
    """Take an issued benefit back at its provider. No transaction is open meanwhile."""
    config = claim.release.provider
    if config is None:
        raise ReturnRefused()
    try:
        provider = open_provider(config)
    except (ProviderClosed, VaultError) as error:
        log.error("provider cannot be asked", extra={"provider": config.code, "why": str(error)})
        raise ReturnUncertain() from error
    try:
        answer = provider.cancel(claim)
    finally:
        provider.close()
    if isinstance(answer, Refused):
        raise ReturnRefused()
    if not isinstance(answer, Canceled):
        raise ReturnUncertain()


def give_credits_back(claim: Claim, *, amount: int | None = None) -> None:
    """What a claim cost, or `amount` of it, goes back to the buckets it came from.

    Nothing for a free claim; for a replacement, the payment of the claim it replaces. A payment
    is refunded once: where it was and was taken again (a claim taken away and given back), the
    rest is a correction of the balance.
    """
    paid = claim
    while not paid.price_credits and paid.replaces is not None:
        paid = paid.replaces
    amount = paid.price_credits if amount is None else amount
    if not amount:
        return
    payment = _payment_of(paid)
    refundable = min(amount, paid.price_credits - _refunded(paid, payment))
    if refundable:
        standing.refund(
            member_id=paid.member_id,
            op_id=uuid7(),
            orig_op=payment,
            amount=refundable,
            reason="benefit",
            related=claim.public_id,
        )
    if rest := amount - refundable:
        ledger.adjust(
            member_id=paid.member_id,
            op_id=uuid7(),
            amount=rest,
            counter=Counter.BENEFITS,
            reason="benefit",
            related=claim.public_id,
        )


def _refunded(paid: Claim, payment: UUID) -> int:
    """How much of a payment went back to its buckets so far."""
    entries = Entry.objects.filter(
        member_id=paid.member_id, orig_op=payment, kind=Kind.REFUND.value
    )
    return sum(entry.available_change - entry.debt_change for entry in entries)


def _payment_of(claim: Claim) -> UUID:
    """The operation that took the credits: the claim's own, or the capture of its hold."""
    if claim.mode != Fulfilment.PROVIDER:
        return claim.op_id
    capture = Entry.objects.get(
        member_id=claim.member_id, orig_op=claim.op_id, kind=Kind.CAPTURE.value
    )
    return capture.op_id
