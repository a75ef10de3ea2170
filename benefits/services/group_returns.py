"""What friends paid for together and nobody kept: the claim ends, and each gets back their share.

The claim never becomes its giver's own: friends paid for it, and it was meant for somebody else.
"""

from datetime import datetime

from benefits import claim_sql
from benefits.models import Claim, Gift, GroupGift, GroupPart
from benefits.services.group_notices import tell_payers
from benefits.services.moves import move_claim
from credits.services import standing
from zone.core.ids import uuid7
from zone.members.models import Member

State = GroupGift.State


def find_group_of(gift: Gift) -> GroupGift | None:
    """The group that paid for what is in the box, when it was one."""
    return GroupGift.objects.filter(gift=gift).first()


def list_payers(gift: Gift) -> list[Member]:
    """Everybody whose credits are in what is in the box, also when it was given on."""
    return list(
        Member.objects.filter(
            group_parts__state=GroupPart.State.TAKEN,
            group_parts__group__state=State.COMPLETE,
            group_parts__group__release_id=gift.claim.release_id,
            group_parts__group__claim__slot=gift.claim.slot,
        ).distinct()
    )


def return_group(claim: Claim, *, actor: str, now: datetime) -> bool:
    """A locked, whole claim that came back goes back to its release, and shares to its payers.

    False when no group paid for it: then nothing was done. Once: the group's own state guards it.
    """
    group = _lock_complete(claim)
    if group is None:
        return False
    move_claim(
        claim,
        to=Claim.State.RETURNED,
        cause="group_return",
        actor=actor,
        now=now,
        facts={"group": group.public_id},
        ended_at=now,
    )
    _give_shares(group, percent=group.return_percent, now=now)
    claim_sql.let_go(claim_id=claim.pk, now=now)
    return True


def return_revoked(claim: Claim, *, now: datetime) -> bool:
    """All that was paid for a claim that was taken away goes back; False when no group paid."""
    group = _lock_complete(claim)
    if group is None:
        return False
    _give_shares(group, percent=100, now=now)
    return True


def is_paid_together(claim: Claim) -> bool:
    return GroupGift.objects.filter(claim=claim).exists()


def share_of(amount: int, *, percent: int) -> int:
    """What comes back of a part, rounded up: the smallest part counts too."""
    return -(-amount * percent // 100)


def _lock_complete(claim: Claim) -> GroupGift | None:
    return (
        GroupGift.objects.select_for_update(no_key=True)
        .filter(claim=claim, state=State.COMPLETE)
        .first()
    )


def _give_shares(group: GroupGift, *, percent: int, now: datetime) -> None:
    """By the members' keys, as everybody who needs several accounts takes them.

    The share of somebody who was forgotten since is given up, on record.
    """
    parts = GroupPart.objects.filter(group=group, state=GroupPart.State.TAKEN)
    for part in parts.order_by("member_id", "id"):
        share = share_of(part.amount, percent=percent)
        if not share:
            continue
        assert part.capture_op is not None  # noqa: S101  A constraint: an entry took it.
        standing.refund(
            member_id=part.member_id,
            op_id=uuid7(),
            orig_op=part.capture_op,
            amount=share,
            reason="gift",
            related=group.public_id,
        )
        GroupPart.objects.filter(pk=part.pk, refunded=0).update(refunded=share)
    GroupGift.objects.filter(pk=group.pk, state=State.COMPLETE).update(state=State.RETURNED)
    group.state = State.RETURNED
    tell_payers(group, "group_returned", now=now)
