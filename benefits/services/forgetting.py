"""A forgotten member's claims end, and nothing they wrote or were called is left."""

from benefits.models import (
    BulkRow,
    Claim,
    Gift,
    GiftBlock,
    GroupGift,
    GroupPart,
    MemberTag,
    Redemption,
    SegmentMember,
    StockHold,
    Trial,
    WaitlistEntry,
    Wish,
)
from benefits.services.code_keys import shred_codes_of
from benefits.services.endings import revoke_claim
from benefits.services.gift_opening import decline_gift
from benefits.services.gifts import stop_gift_of
from benefits.services.group_gifts import withdraw
from benefits.services.group_notices import KINDS as _KINDS_TO_PAYERS
from benefits.services.waitlist import leave_waitlist
from zone.core.clock import database_now
from zone.members.models import Erasure, Member
from zone.members.services.erasures import forget_in_room
from zone.notices.forgetting import blank_facts
from zone.partners.models import Partner
from zone.partners.services.forgetting import forget_answers, forget_in_events, pseudonym_of

ROOM = "benefits"
ACTOR = "worker:erasure"
_KINDS_TO_RECEIVER = ("gift_received", "gift_missed")
_KINDS_TO_GIVER = ("gift_delivered", "gift_returned", "gift_opened", "gift_thanked")


def forget_members() -> int:
    """Claims of whoever is forgotten are over; gifts, lines and lists no longer name them."""
    return forget_in_room(ROOM, _forget)


def _forget(erasure: Erasure) -> bool:
    """False while a provider is at one of the claims: what it issues is taken away afterwards."""
    member = erasure.member
    if Claim.objects.filter(member=member, state=Claim.State.RESERVED).exists():
        return False
    withdraw(member=member, actor=ACTOR, now=database_now())
    _end_gifts(member)
    _forget_in_groups(member)
    _end_claims(member)
    shred_codes_of(member_id=member.pk)
    for entry in WaitlistEntry.objects.filter(
        member=member, state__in=WaitlistEntry.OPEN_STATES
    ).select_related("release"):
        leave_waitlist(member=member, release=entry.release, now=database_now())
    Trial.objects.filter(member=member, state=Trial.State.RUNNING).update(
        state=Trial.State.UNSEEN, next_attempt_at=None, closed_at=database_now()
    )
    Trial.objects.filter(member=member).update(plan="")
    SegmentMember.objects.filter(member=member).delete()
    MemberTag.objects.filter(member=member).delete()
    Wish.objects.filter(member=member).delete()
    BulkRow.objects.filter(member=member).update(target=member.public_id)
    Claim.objects.filter(member=member, metadata__isnull=False).update(metadata=None)
    Redemption.objects.filter(claim__member=member).update(order_reference="", rollback_reason="")
    _forget_what_partners_said(member)
    return True


def _forget_what_partners_said(member: Member) -> None:
    """Partners' references of claims, uses and holds are pseudonyms now; events and answers too.

    How each kind of row is forgotten, and why, stands in `zone.partners.services.forgetting`.
    """
    by_partner: dict[int, list[str]] = {}
    claims = Claim.objects.filter(member=member)
    uses = Redemption.objects.filter(claim__member=member)
    holds = StockHold.objects.filter(entry__member=member)
    for rows in (claims, uses, holds):
        for row in rows.filter(partner_id__isnull=False):
            by_partner.setdefault(row.partner_id or 0, []).append(row.public_id)
        for row in rows.filter(external_id__isnull=False):
            rows.filter(pk=row.pk).update(external_id=pseudonym_of(row.external_id or ""))
    for partner in Partner.objects.filter(pk__in=by_partner):
        forget_in_events(partner_id=partner.pk, object_ids=by_partner[partner.pk])
        forget_answers(partner=partner, object_ids=by_partner[partner.pk])


def _end_gifts(member: Member) -> None:
    now = database_now()
    for gift in Gift.objects.filter(receiver=member, state=Gift.State.OPENED):
        decline_gift(gift=gift, member=member, now=now)
    for gift in Gift.objects.filter(giver=member, state__in=Gift.OPEN_STATES).select_related(
        "claim"
    ):
        # What friends paid for too is not the member's to take along: they get their shares.
        stop_gift_of(claim=gift.claim, actor=ACTOR, now=now, returns_parts=True)
    for gift in Gift.objects.filter(giver=member):
        if gift.receiver_id is not None:
            blank_facts(
                member_id=gift.receiver_id,
                dedupe_keys=[f"{kind}:{gift.public_id}" for kind in _KINDS_TO_RECEIVER],
                names=["signed_by", "receiver_name"],
            )
    for gift in Gift.objects.filter(receiver=member):
        blank_facts(
            member_id=gift.giver_id,
            dedupe_keys=[f"{kind}:{gift.public_id}" for kind in _KINDS_TO_GIVER],
            names=["receiver_name", "thanks"],
        )
    # What the giver wrote goes with the giver; what the receiver is called and wrote, with them.
    Gift.objects.filter(giver=member).update(
        words="", signed_by="", receiver_name="", token_sealed=b""
    )
    Gift.objects.filter(receiver=member).update(receiver_name="", thanks="")
    GiftBlock.objects.filter(giver=member).update(signed_by="")
    GiftBlock.objects.filter(member=member).delete()


def _forget_in_groups(member: Member) -> None:
    """What a starter wrote goes with them, the name of a friend with the friend; the sums stay."""
    started = GroupGift.objects.filter(starter=member)
    received = GroupGift.objects.filter(gift__receiver=member)
    for groups, names in ((started, ["signed_by", "receiver_name"]), (received, ["receiver_name"])):
        for group in groups:
            keys = [f"{kind}:{group.public_id}" for kind in _KINDS_TO_PAYERS]
            payers = group.parts.values_list("member_id", flat=True).distinct()
            for member_id in {group.starter_id, *payers} - {member.pk}:
                blank_facts(member_id=member_id, dedupe_keys=keys, names=names)
    started.update(words="", signed_by="", receiver_name="", token_sealed=b"", note="")
    received.update(receiver_name="")
    GroupPart.objects.filter(member=member).update(signed_by="")


def _end_claims(member: Member) -> None:
    now = database_now()
    for claim in Claim.objects.filter(member=member, state=Claim.State.GRANTED):
        if not claim.is_expired_at(now):
            revoke_claim(claim=claim, reason="member_request", actor=ACTOR, now=now, is_told=False)
