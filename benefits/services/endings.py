"""How a claim ends or is used: redeem, roll back, revoke, return, expire."""

from datetime import datetime

from django.db import transaction

from benefits import claim_sql
from benefits.errors import AlreadyRedeemed, ClaimInTransit, ClaimNotUsable, ClaimPending
from benefits.models import Claim
from benefits.services.gifts import stop_gift_of
from benefits.services.moves import move_claim
from credits import ledger
from zone.core.ids import uuid7

State = Claim.State
REVOKE_REASONS = ("fraud", "member_request", "issue_error", "other")
EXPIRE_BATCH_ROWS = 500


def _locked(claim: Claim) -> Claim:
    """The claim as it is now, its row ours until the commit. Raises ClaimInTransit."""
    locked = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
    if locked.frozen_at is not None:
        raise ClaimInTransit()
    return locked


def redeem_claim(*, claim: Claim, now: datetime, actor: str, reference: str = "") -> Claim:
    """A granted claim is used. The end is decided here, whether or not the sweep has been by.

    Raises AlreadyRedeemed with the first moment, ClaimPending, ClaimInTransit, ClaimNotUsable.
    """
    with transaction.atomic():
        claim = _locked(claim)
        state = claim.state_at(now)
        if state == State.REDEEMED:
            raise AlreadyRedeemed(redeemed_at=claim.redeemed_at)
        if state == State.RESERVED:
            raise ClaimPending()
        if state != State.GRANTED or (claim.valid_from is not None and claim.valid_from > now):
            raise ClaimNotUsable(status=state)
        move_claim(
            claim,
            to=State.REDEEMED,
            cause="redeem",
            actor=actor,
            now=now,
            facts={"reference": reference} if reference else None,
            redeemed_at=now,
        )
    return claim


def roll_back_redemption(*, claim: Claim, now: datetime, actor: str, reason: str = "") -> Claim:
    """A use is undone: the claim is granted again, with its old end. Raises ClaimNotUsable."""
    with transaction.atomic():
        claim = _locked(claim)
        if claim.state != State.REDEEMED or claim.mode == "credits":
            raise ClaimNotUsable(status=claim.state)
        move_claim(
            claim,
            to=State.GRANTED,
            cause="roll_back",
            actor=actor,
            now=now,
            facts={"reason": reason} if reason else None,
            redeemed_at=None,
        )
    return claim


def revoke_claim(
    *,
    claim: Claim,
    reason: str,
    actor: str,
    now: datetime,
    note: str = "",
    gives_credits_back: bool = False,
) -> Claim:
    """Take a granted claim away. Its slot stays used: the code may have been seen or sent.

    A gift of it that is under way ends first.

    With `gives_credits_back` what it cost is refunded in the same commit.
    Raises ClaimNotUsable for any other state, ClaimPending while a provider is at it.
    """
    if reason not in REVOKE_REASONS:
        raise ValueError(f"{reason!r} is not a reason to revoke")
    with transaction.atomic():
        stop_gift_of(claim=claim, actor=actor, now=now)
        claim = _locked(claim)
        state = claim.state_at(now)
        if state == State.RESERVED:
            raise ClaimPending()
        if state != State.GRANTED:
            raise ClaimNotUsable(status=state)
        move_claim(
            claim,
            to=State.REVOKED,
            cause="revoke",
            actor=actor,
            now=now,
            facts={"reason": reason, "note": note} if note else {"reason": reason},
            ended_at=now,
        )
        if gives_credits_back:
            give_credits_back(claim)
    return claim


def return_claim(*, claim: Claim, now: datetime, actor: str) -> Claim:
    """A member gives an unused, unseen claim back: credits return, and the slot with its code.

    Only for codes in hand: what a provider issued belongs to that provider's own return.
    Raises ClaimNotUsable, ClaimInTransit, ClaimPending.
    """
    with transaction.atomic():
        claim = _locked(claim)
        state = claim.state_at(now)
        if state == State.RESERVED:
            raise ClaimPending()
        if state != State.GRANTED or claim.revealed_at is not None or claim.mode != "codes":
            raise ClaimNotUsable(status=state)
        move_claim(claim, to=State.RETURNED, cause="return", actor=actor, now=now, ended_at=now)
        give_credits_back(claim)  # The account first, as a claim locks it.
        claim_sql.let_go(claim_id=claim.pk, now=now)
    return claim


def give_credits_back(claim: Claim) -> None:
    """What a claim cost goes back to the buckets it came from; nothing for a free one."""
    if not claim.price_credits:
        return
    ledger.refund(
        member_id=claim.member_id,
        op_id=uuid7(),
        orig_op=claim.op_id,
        amount=claim.price_credits,
        reason="benefit",
        related=claim.public_id,
    )


def expire_claims() -> int:
    """Settle every claim whose end has come, in batches. Safe to kill and to run twice."""
    total = 0
    while settled := claim_sql.expire_claims(limit=EXPIRE_BATCH_ROWS, actor="worker"):
        total += settled
    return total
