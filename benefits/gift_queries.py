"""What the gift pages read."""

import hashlib
from datetime import datetime
from typing import Literal

from django.db.models import Exists, OuterRef, QuerySet

from benefits.models import Claim, Code, Gift, GiftBlock
from zone.core.errors import NotFound
from zone.members.models import Member

Side = Literal["given", "received"]
PAGE_ROWS_MAX = 50
# A gift may be given on; nobody's chain is longer than this in earnest.
_CHAIN_MAX = 50


def _with_reading() -> QuerySet[Gift]:
    return Gift.objects.select_related(
        "claim__benefit", "giver", "receiver", "received_claim"
    ).prefetch_related("claim__benefit__texts")


def get_by_token(token: str) -> Gift:
    """The gift a link leads to, whatever became of it. Raises NotFound."""
    gift = _with_reading().filter(token_hash=hashlib.sha256(token.encode()).digest()).first()
    if gift is None:
        raise NotFound()
    return gift


def get_gift(*, member: Member, public_id: str) -> tuple[Gift, Side]:
    """A gift this member gave or received, and which of the two. Raises NotFound."""
    gift = _with_reading().filter(public_id=public_id).first()
    if gift is not None and gift.giver_id == member.pk:
        return gift, "given"
    if gift is not None and gift.receiver_id == member.pk:
        return gift, "received"
    raise NotFound()


def list_gifts(*, member: Member, side: Side, before: int | None = None) -> list[Gift]:
    """The gifts of one side, newest first."""
    gifts = _with_reading()
    gifts = gifts.filter(giver=member) if side == "given" else gifts.filter(receiver=member)
    if before is not None:
        gifts = gifts.filter(pk__lt=before)
    return list(gifts.order_by("-id")[:PAGE_ROWS_MAX])


def list_giftable(*, member: Member, now: datetime) -> list[Claim]:
    """The member's claims that could be given away now: whole, unseen, with a code of their own."""
    claims = (
        Claim.objects.filter(
            member=member,
            state=Claim.State.GRANTED,
            revealed_at=None,
            frozen_at=None,
            benefit__is_giftable=True,
        )
        .exclude(valid_until__lte=now)
        .filter(
            Exists(Code.objects.filter(release_id=OuterRef("release_id"), slot=OuterRef("slot")))
        )
        .select_related("benefit")
        .prefetch_related("benefit__texts")
        .order_by("valid_until", "-id")
    )
    return list(claims[:PAGE_ROWS_MAX])


def is_giftable(claim: Claim, *, now: datetime) -> bool:
    """Whether the claim's page offers to send it; the service decides again when it is sent."""
    return (
        claim.state_at(now) == Claim.State.GRANTED
        and claim.revealed_at is None
        and claim.frozen_at is None
        and claim.benefit.is_giftable
        and Code.objects.filter(release_id=claim.release_id, slot=claim.slot).exists()
    )


def find_open_gift(claim: Claim) -> Gift | None:
    """The gift of this claim that is under way."""
    return Gift.objects.filter(claim=claim, state__in=Gift.OPEN_STATES).first()


def find_gift_received(claim: Claim) -> Gift | None:
    """The gift this claim came as."""
    return Gift.objects.filter(received_claim=claim).select_related("giver").first()


def list_former_givers(gift: Gift) -> list[Member]:
    """Everybody through whose hands this one went, the giver of this gift first."""
    givers: list[Member] = []
    hop: Gift | None = gift
    while hop is not None and len(givers) < _CHAIN_MAX:
        givers.append(hop.giver)
        hop = find_gift_received(hop.claim)
    return givers


def list_blocks(member: Member) -> list[GiftBlock]:
    return list(GiftBlock.objects.filter(member=member).order_by("-id"))
