"""The receiver's verbs: open, accept, decline, say thank you, and block."""

from datetime import datetime

from django.db import transaction

from benefits import gift_errors as refusals
from benefits import rules
from benefits.errors import LimitReached
from benefits.gift_queries import get_by_token, list_former_givers
from benefits.models import Claim, Gift, GiftBlock
from benefits.models.claim import COUNTED
from benefits.services import gift_moves
from benefits.services.gift_moves import lock_gift
from benefits.services.group_returns import list_payers
from benefits.services.moves import move_claim, record_event
from zone.core.errors import NotFound
from zone.core.ids import uuid7
from zone.members.models import Member
from zone.members.queries import is_same_person

State = Gift.State


def open_gift(*, token: str, member: Member, now: datetime) -> Gift:
    """Open the box: from this commit on it is for this member alone, and cannot be called back.

    Safe to repeat for the same member. Whoever may not have what is inside is refused before the
    box opens, so that it still opens for somebody else.

    Raises NotFound, OwnGift, OpenedByAnother, NotYet, GiftOver, GiftRing, GiverBlocked,
    PaidForByYou, LimitReached, and what the benefit's own rules refuse.
    """
    gift = get_by_token(token)
    with transaction.atomic():
        gift = lock_gift(gift)
        if bytes(gift.token_hash) != gift_moves.hash_of(token):
            raise NotFound()  # A new link was made between finding it and locking it.
        if gift.receiver_id == member.pk:
            return gift
        refuse_unless_may_open(gift, member=member, now=now)
        was_scheduled = gift.state == State.SCHEDULED
        gift.state = State.OPENED
        gift.receiver = member
        gift.opened_at = now
        gift.delivered_at = gift.deliver_at if was_scheduled else gift.delivered_at
        gift.next_attempt_at = gift.returns_at
        gift.token_sealed = b""
        gift.save(
            update_fields=[
                "state", "receiver", "opened_at", "delivered_at", "next_attempt_at",
                "token_sealed",
            ]
        )  # fmt: skip
        gift_moves.record_gift_event(gift, cause="gift_open", actor=_actor(member), now=now)
        gift_moves.tell_giver(gift, "gift_opened", now=now)
    return gift


def refuse_unless_may_open(gift: Gift, *, member: Member, now: datetime) -> None:
    """Raises why this member cannot open the gift at `now`; the nearest reason first."""
    if gift.receiver_id is None and is_same_person(gift.giver, member):
        raise refusals.OwnGift()
    refuse_unless_openable(gift, now=now)
    if GiftBlock.objects.filter(member=member, giver_id=gift.giver_id).exists():
        raise refusals.GiverBlocked()
    if any(is_same_person(payer, member) for payer in list_payers(gift)):
        raise refusals.PaidForByYou()
    refuse_unless_may_have(gift, member=member, now=now)


def refuse_unless_openable(gift: Gift, *, now: datetime) -> None:
    """Raises why nobody can open it at `now`: opened by somebody, over, or not yet there."""
    if gift.receiver_id is not None:
        raise refusals.OpenedByAnother()
    if not gift.is_under_way or gift.is_due_back(now):
        raise refusals.GiftOver(state=gift.state_at(now))
    if gift.state_at(now) == State.SCHEDULED:
        raise refusals.NotYet(deliver_at=gift.deliver_at)


def refuse_unless_may_have(gift: Gift, *, member: Member, now: datetime) -> None:
    """Raises the benefit's own refusal: wallet, storefront, binding, age, limit; or GiftRing."""
    benefit = gift.claim.benefit
    if refusal := rules.find_member_refusal(benefit=benefit, facts=rules.facts_of(member, now=now)):
        raise refusal
    former = list_former_givers(gift)
    if any(is_same_person(giver, member) for giver in former):
        raise refusals.GiftRing()
    if benefit.gift_counts_to_limit and _free_number(gift.claim, member) is None:
        raise LimitReached(limit=gift.claim.per_member)


def accept_gift(*, gift: Gift, member: Member, now: datetime) -> Claim:
    """The claim changes hands in one commit: given away there, granted here, same slot, same code.

    What was left of its life when it was sent is left of it now. Safe to repeat: the same claim.
    Raises NotFound for anyone but its receiver, GiftOver, and the benefit's refusals.
    """
    with transaction.atomic():
        gift = lock_gift(gift)
        if gift.receiver_id != member.pk:
            raise NotFound()
        if gift.state == State.ACCEPTED and gift.received_claim is not None:
            return gift.received_claim
        _refuse_unless_opened(gift, now=now)
        refuse_unless_may_have(gift, member=member, now=now)
        given = gift.claim
        valid_until = gift_moves.restored_end(gift, now=now)
        facts = {"gift": gift.public_id}
        move_claim(
            given,
            to=Claim.State.GIFTED,
            cause="gift_accept",
            actor=_actor(member),
            now=now,
            facts=facts,
            holds_slot=False,
            frozen_at=None,
            valid_until=gift.claim_valid_until,
            ended_at=now,
        )
        received = _receive(given, member=member, now=now, valid_until=valid_until)
        record_event(
            received, was="", to=received.state, cause="gift_receive", actor=_actor(member),
            now=now, facts=facts,
        )  # fmt: skip
        gift_moves.close_gift(gift, to=State.ACCEPTED, now=now, received_claim=received)
        gift_moves.tell(
            gift,
            "gift_received",
            member_id=member.pk,
            link=f"/me/benefits/{received.public_id}",
            now=now,
            valid_until=valid_until.isoformat() if valid_until else "",
        )
    return received


def _receive(given: Claim, *, member: Member, now: datetime, valid_until: datetime | None) -> Claim:
    """The receiver's own claim on the same slot. What it cost stays with whoever paid."""
    counts = given.benefit.gift_counts_to_limit
    nth = (_free_number(given, member) if counts else None) or given.nth
    return Claim.objects.create(
        member=member,
        release_id=given.release_id,
        benefit=given.benefit,
        terms_id=given.terms_id,
        slot=given.slot,
        nth=nth,
        op_id=uuid7(),
        mode=given.mode,
        state=Claim.State.GRANTED,
        holds_slot=True,
        counts_to_limit=counts,
        price_credits=0,
        per_member=given.per_member,
        livemode=given.livemode,
        provider_status=given.provider_status,
        provider_reference=given.provider_reference,
        created_at=now,
        granted_at=now,
        valid_from=given.valid_from,
        valid_until=valid_until,
        updated_at=now,
    )


def _free_number(given: Claim, member: Member) -> int | None:
    """The member's next number within the limit of this release, or None when it is reached."""
    used = set(
        Claim.objects.filter(COUNTED, release_id=given.release_id, member=member).values_list(
            "nth", flat=True
        )
    )
    return next((nth for nth in range(1, given.per_member + 1) if nth not in used), None)


def decline_gift(*, gift: Gift, member: Member, now: datetime) -> Gift:
    """Leave it: the claim goes back with the life it had left. The giver only reads "returned".

    Safe to repeat. Raises NotFound for anyone but its receiver, GiftOver.
    """
    with transaction.atomic():
        gift = lock_gift(gift)
        if gift.receiver_id != member.pk:
            raise NotFound()
        if gift.state == State.DECLINED:
            return gift
        _refuse_unless_opened(gift, now=now)
        is_giver_s = gift_moves.give_back(
            gift,
            to=State.DECLINED,
            cause="gift_decline",
            actor=_actor(member),
            now=now,
            valid_until=gift_moves.restored_end(gift, now=now),
        )
        if is_giver_s:
            gift_moves.tell_giver(gift, "gift_returned", now=now)
    return gift


def thank_giver(*, gift: Gift, member: Member, words: str, now: datetime) -> Gift:
    """One thank-you for an accepted gift, shown to its giver. Raises NotFound, AlreadyThanked."""
    with transaction.atomic():
        gift = lock_gift(gift)
        if gift.receiver_id != member.pk or gift.state != State.ACCEPTED:
            raise NotFound()
        if gift.thanked_at is not None:
            raise refusals.AlreadyThanked()
        gift.thanks = words
        gift.thanked_at = now
        gift.save(update_fields=["thanks", "thanked_at"])
        gift_moves.tell_giver(gift, "gift_thanked", now=now, thanks=words)
    return gift


def block_giver(*, gift: Gift, member: Member, now: datetime) -> GiftBlock:
    """No more gifts from this giver for this member; one that lies open is declined with it.

    The giver is told nothing of the block. Safe to repeat. Raises NotFound.
    """
    if gift.receiver_id != member.pk:
        raise NotFound()
    with transaction.atomic():
        block, _ = GiftBlock.objects.get_or_create(
            member=member,
            giver_id=gift.giver_id,
            defaults={"signed_by": gift.signed_by, "created_at": now},
        )
        if Gift.objects.filter(pk=gift.pk, state=State.OPENED, returns_at__gt=now).exists():
            decline_gift(gift=gift, member=member, now=now)
    return block


def unblock_giver(*, member: Member, block_id: int) -> None:
    """Gifts from that giver open again. Safe to repeat."""
    GiftBlock.objects.filter(member=member, pk=block_id).delete()


def _refuse_unless_opened(gift: Gift, *, now: datetime) -> None:
    if gift.state != State.OPENED or gift.is_due_back(now):
        raise refusals.GiftOver(state=gift.state_at(now))


def _actor(member: Member) -> str:
    return f"member:{member.public_id}"
