"""What the friends who pay for a gift together are told. Facts only: the words are chosen later."""

from datetime import datetime

from benefits.models import BenefitText, GroupGift, GroupPart
from zone.members.models import Member
from zone.notices.services import Message, write_notices

KINDS = ("group_complete", "group_called_off", "group_ended", "group_refused", "group_returned")


def tell_payers(
    group: GroupGift, kind: str, *, now: datetime, members: set[int] | None = None
) -> None:
    """A notice for the starter and each friend, or for `members`, once per kind and member.

    It says what that member put in and what came back: their own credits, and nobody else's.
    """
    credits, back = {group.starter_id: 0}, {group.starter_id: 0}
    for part in GroupPart.objects.filter(group=group):
        is_in = part.state != GroupPart.State.RELEASED
        credits[part.member_id] = credits.get(part.member_id, 0) + part.amount * is_in
        back[part.member_id] = back.get(part.member_id, 0) + part.refunded
    told = {group.starter_id, *(key for key, amount in credits.items() if amount)}
    told = told if members is None else told | members
    # Nothing is written to who is forgotten: it would stay.
    forgotten = Member.objects.filter(pk__in=told, status=Member.Status.ERASED)
    told -= set(forgotten.values_list("pk", flat=True))
    texts = BenefitText.objects.filter(benefit__releases=group.release_id)
    title = {text.language: text.title for text in texts}
    write_notices(
        [
            Message(
                member_id=member_id,
                kind=kind,
                facts={
                    "title": title,
                    "signed_by": group.signed_by,
                    "receiver_name": group.receiver_name,
                    "credits": credits.get(member_id, 0),
                    "back": back.get(member_id, 0),
                },
                link=f"/gifts/together/{group.public_id}",
                dedupe_key=f"{kind}:{group.public_id}",
            )
            for member_id in sorted(told)
        ],
        at=now,
    )


def tell_of_gap(group: GroupGift, friend: Member, *, amount: int, now: datetime) -> None:
    """A part that could not be taken went back: its friend hears it, and the starter how much it was.

    Not whose it was.
    """
    texts = BenefitText.objects.filter(benefit__releases=group.release_id)
    title = {text.language: text.title for text in texts}
    told = [(friend.pk, "group_part_back"), (group.starter_id, "group_gap")]
    write_notices(
        [
            Message(
                member_id=member_id,
                kind=kind,
                facts={"title": title, "credits": amount},
                link=f"/gifts/together/{group.public_id}",
                dedupe_key=f"{kind}:{group.public_id}:{now.isoformat()}",
            )
            for member_id, kind in told
        ],
        at=now,
    )
