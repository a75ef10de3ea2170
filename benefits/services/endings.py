"""How a claim ends without its owner: taken away, given back, replaced, expired."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from benefits import claim_sql
from benefits.errors import BudgetExhausted, ClaimNotUsable, ClaimPending, RestoreRefused, SoldOut
from benefits.models import Claim, Code
from benefits.models.release import Fulfilment
from benefits.services.code_reserve import KeptFor, take_kept_slot
from benefits.services.gifts import stop_gift_of
from benefits.services.group_returns import is_paid_together, return_revoked
from benefits.services.moves import lock_claim, move_claim, record_event, tell_partner
from benefits.services.notices import tell
from benefits.services.provider_endings import end_at_provider, is_kept_elsewhere
from benefits.services.returns import give_credits_back, undo_end, worth_of
from benefits.services.tickets import drop_out, join_again, lock_draw_of
from credits import ledger
from credits.errors import InsufficientCredits
from credits.kinds import Counter
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.core.nudge import nudge
from zone.members.models import Member

State = Claim.State
REVOKE_REASONS = ("fraud", "member_request", "issue_error", "other")
DRAW_OFF = "draw_off"  # Not an operator's to give: a ticket's draw gave nothing out.
EXPIRE_BATCH_ROWS = 500
RESTORE_WITHIN = timedelta(hours=24)


def revoke_claim(
    *,
    claim: Claim,
    reason: str,
    actor: str,
    now: datetime,
    note: str = "",
    gives_credits_back: bool = False,
    is_told: bool = True,
) -> Claim:
    """Take a granted claim away. Its slot stays used: the code may have been seen or sent.

    A gift of it that is under way ends first, and what a wallet keeps of it is ended there by the
    worker. A ticket leaves its draw; once the list of entries is published its entry stays there
    and cannot win.

    With `gives_credits_back` what it cost is refunded in the same commit, to each who paid. The owner is told, with
    the reason. `restore_claim` undoes it for a day.

    Raises ClaimNotUsable for any other state, ClaimPending while a provider is at it.
    """
    if reason not in (*REVOKE_REASONS, DRAW_OFF):
        raise ValueError(f"{reason!r} is not a reason to revoke")
    with transaction.atomic():
        draw = lock_draw_of(claim)
        stop_gift_of(claim=claim, actor=actor, now=now)
        claim = lock_claim(claim)
        state = claim.state_at(now)
        if state == State.RESERVED:
            raise ClaimPending()
        if state != State.GRANTED:
            raise ClaimNotUsable(status=state)
        credits_back = worth_of(claim) if gives_credits_back else 0
        move_claim(
            claim,
            to=State.REVOKED,
            cause="revoke",
            actor=actor,
            now=now,
            facts={"reason": reason, "note": note, "credits_back": credits_back},
            ended_at=now,
        )
        if credits_back:
            give_credits_back(claim, amount=credits_back)
        elif gives_credits_back:
            return_revoked(claim, now=now)
        end_at_provider(claim, now=now)
        if draw is not None:
            drop_out(claim, draw=draw)
        if is_told:
            tell(claim, "claim_revoked", now=now, reason=reason)
    return claim


def restore_claim(
    *, claim: Claim, actor: str, now: datetime, taken_at: datetime | None = None
) -> Claim:
    """A claim that was taken away is its owner's again, with its old end; within a day.

    Credits that went back with it are taken again in the same commit. With `taken_at` only what
    was taken away at that moment is given back, and nothing that somebody took away since.

    Raises RestoreRefused after a day and after its own end, for one that a wallet kept, that friends
    paid for or that was replaced, for a ticket whose draw goes on without it, for an owner who was
    forgotten, and when the owner has spent what was given back; ClaimNotUsable when it was not taken
    away.
    """
    with transaction.atomic():
        draw = lock_draw_of(claim)
        claim = lock_claim(claim)
        if claim.state != State.REVOKED:
            raise ClaimNotUsable(status=claim.state)
        is_late = claim.ended_at is None or now - claim.ended_at >= RESTORE_WITHIN
        # Nobody pays again for what has ended meanwhile, and who is forgotten has nothing.
        is_late = is_late or (claim.valid_until is not None and claim.valid_until <= now)
        is_late = is_late or claim.member.status == Member.Status.ERASED
        is_late = is_late or (taken_at is not None and claim.ended_at != taken_at)
        # What a wallet ended does not come back, nor what friends paid for: it never was its owner's.
        is_gone = is_late or is_kept_elsewhere(claim) or is_paid_together(claim)
        if is_gone or Claim.objects.filter(replaces=claim).exists():
            raise RestoreRefused()
        if draw is not None:
            join_again(claim, draw=draw, now=now)
        revoked = claim.events.filter(cause="revoke").order_by("-id").first()
        given_back = (revoked.facts or {}).get("credits_back", 0) if revoked else 0
        if given_back:
            try:
                ledger.adjust(
                    member_id=claim.member_id,
                    op_id=uuid7(),
                    amount=-given_back,
                    counter=Counter.BENEFITS,
                    reason="restore",
                    related=claim.public_id,
                )
            except InsufficientCredits as refusal:
                raise RestoreRefused() from refusal
        move_claim(claim, to=State.GRANTED, cause="restore", actor=actor, now=now, ended_at=None)
        tell(claim, "claim_restored", now=now)
    return claim


def reissue_claim(*, claim: Claim, actor: str, now: datetime, note: str = "") -> Claim:
    """Replace a claim by a fresh unit of its release: the first is dead before the second lives.

    Free for its owner, and nothing more from their limits: it counts in the windows in which the
    first one counted. A budget bears it as one more, for the first one's code may have been used.
    What was paid stays with the first. Safe to repeat: a claim is replaced once, and whoever asks
    again gets the replacement there is.

    Raises SoldOut when the release has no unit left, BudgetExhausted when nothing is left to bear
    it, ClaimPending, ClaimInTransit, ClaimNotUsable.
    After a refusal the first claim is as it was.
    """
    with transaction.atomic():
        first = lock_claim(claim)
        if made := Claim.objects.filter(replaces=first).first():
            return made
        if first.mode in (Fulfilment.CREDITS, Fulfilment.DRAW) or is_paid_together(first):
            raise ClaimNotUsable(status=first.state)
        if first.state != State.REVOKED:
            first = revoke_claim(
                claim=first, reason="issue_error", actor=actor, now=now, note=note, is_told=False
            )
        Claim.objects.filter(pk=first.pk).update(counts_to_limit=False)
        made = _replacement_of(first, now=now)
        if not claim_sql.count_replacement(first_id=first.pk, claim_id=made.pk):
            raise BudgetExhausted()
        record_event(
            made,
            was="",
            to=made.state,
            cause="reissue",
            actor=actor,
            now=now,
            facts={"replaces": first.public_id, "note": note},
        )
        tell(made, "claim_reissued", now=now)
        tell_partner(made, was="", cause="reissue", now=now)
    if made.is_waiting_for_provider:
        nudge("benefits.tasks.drain_grants")
    return made


def _replacement_of(first: Claim, *, now: datetime) -> Claim:
    """A claim like `first` on the next slot of its release. Raises SoldOut."""
    op_id = uuid7()
    is_in_hand = first.mode == Fulfilment.CODES
    slot = _next_slot(first, op_id, now=now)
    if slot is None:
        raise SoldOut()
    code = Code.objects.get(release_id=first.release_id, slot=slot) if is_in_hand else None
    benefit = first.benefit
    return Claim.objects.create(
        member_id=first.member_id,
        release_id=first.release_id,
        benefit=benefit,
        terms_id=first.terms_id,
        slot=slot,
        nth=first.nth,
        op_id=op_id,
        mode=first.mode,
        state=State.GRANTED if is_in_hand else State.RESERVED,
        counts_to_limit=first.counts_to_limit,
        per_member=first.per_member,
        livemode=first.livemode,
        replaces=first,
        partner_id=first.partner_id,  # Its reference stays with the first: one claim each.
        undo_until=undo_end(first.granted_at, first.undo_until) if first.granted_at else None,
        next_attempt_at=None if is_in_hand else now,
        created_at=now,
        updated_at=now,
        granted_at=now if is_in_hand else None,
        valid_from=max(now, first.valid_from or now) if is_in_hand else None,
        valid_until=claim_sql.valid_until(
            at=now,
            zone=first.member.time_zone,
            days=benefit.valid_days,
            cap=benefit.usable_until,
            code_ends_on=code.expires_on if code else None,
        )
        if is_in_hand
        else None,
    )


def _next_slot(first: Claim, op_id: UUID, *, now: datetime) -> int | None:
    """A slot for a replacement: of codes kept for that, else off sale, else of any kept batch."""
    release_id, is_in_hand = first.release_id, first.mode == Fulfilment.CODES
    if is_in_hand:
        slot = take_kept_slot(release_id=release_id, kinds=(KeptFor.REPLACEMENT,), now=now)
        if slot is not None:
            return slot
    slot = claim_sql.next_slot(release_id=release_id, op_id=op_id, now=now)
    if slot is None and is_in_hand:
        slot = take_kept_slot(release_id=release_id, kinds=(KeptFor.REFILL,), now=now)
    return slot


def expire_claims() -> int:
    """Settle every claim whose end has come, in batches. Safe to kill and to run twice.

    The unseen code of a lapsed claim goes back to its release while enough of its life is left.
    A partner that asked for a claim is told in the batch's own commit.
    """
    total = 0
    while settled := _expire_batch():
        total += settled
    return total


def _expire_batch() -> int:
    with transaction.atomic():
        settled = claim_sql.settle_endings(limit=EXPIRE_BATCH_ROWS, actor="worker")
        now = database_now()
        asked_for = Claim.objects.filter(pk__in=settled, partner_id__isnull=False).order_by("pk")
        for claim in asked_for:
            tell_partner(claim, was=State.GRANTED, cause="expire", now=now)
    return len(settled)
