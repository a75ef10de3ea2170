"""Telling partners what became of a member they know, in the commit of the change."""

from datetime import datetime

from zone.members.models import Member, PartnerMember
from zone.members.shapes import present_member
from zone.partners.services.events import record_event


def tell_partners(*, member_id: int, word: str, was: str, now: datetime) -> None:
    """An event `member.<word>` for every partner that has an id of the member.

    Read after the change, so that `data` is the member as it is from now on. Must run inside the
    transaction of the change.
    """
    known_by = PartnerMember.objects.filter(member_id=member_id).order_by("partner_id")
    for known in known_by.select_related("member__wallet"):
        record_event(
            partner_id=known.partner_id,
            livemode=known.livemode,
            type=f"member.{word}",
            data=present_member(known),
            previous={"status": was},
            at=now,
        )


def tell_of_suspension(*, member_id: int, now: datetime) -> None:
    """To partners a frozen membership and a paused one are the same: the member is suspended."""
    tell_partners(
        member_id=member_id,
        word="suspended",
        was=Member.Status.ACTIVE.value,
        now=now,
    )
