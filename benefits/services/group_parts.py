"""Putting a part in; and the last one, which takes them all and makes the gift."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from benefits import claim_sql, errors
from benefits import group_errors as refusals
from benefits.models import Claim, GroupGift, GroupPart, WaitlistEntry
from benefits.models.group_gift import PARTS_MAX
from benefits.services import gift_moves, gifts
from benefits.services.claims import claim_paid, refuse_unless_eligible
from benefits.services.gifts import NumberOfDay
from benefits.services.group_gifts import (
    State,
    close_group,
    hold_credits,
    lock_group,
    refuse_unless_may_join,
    release_parts,
)
from benefits.services.group_notices import tell_of_gap, tell_payers
from credits import ledger
from zone.core.errors import Unavailable, ZoneError
from zone.core.failpoints import failpoint
from zone.core.ids import uuid7
from zone.members.models import Member


class _FellThrough(Exception):
    """The claim was refused with everything paid; `refusal` says why."""

    def __init__(self, refusal: ZoneError) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def put_in(
    *,
    group: GroupGift,
    member: Member,
    amount: int,
    op_id: UUID,
    now: datetime,
    signed_by: str = "",
) -> GroupPart:
    """So many of the member's credits are set aside for the gift; with the last of them it is made.

    The last part is one commit with all the others' captures, the claim and its box, or nothing of
    it. Is the benefit refused at that moment, nobody pays: everything is released and everybody
    told. May one of the friends not pay at that moment, theirs alone goes back: it is missing again,
    and the gift waits for it until its end. Safe to repeat: the same member and op_id return the
    first part.

    Raises TooMuch, TooManyParts, GroupOver, GroupElsewhere, GiverBlocked, NotEnoughCredits,
    MemberSuspended, and the benefit's own rules; GroupFell when it fell through at the last part;
    NotStarted, Unavailable when the last part may be tried again later: after these it still
    collects.
    """
    with transaction.atomic():
        group = lock_group(group)
        first = GroupPart.objects.filter(member=member, op_id=op_id).first()
        if first is not None:
            if (first.group_id, first.amount) != (group.pk, amount):
                raise errors.OperationReused()
            return first
        refuse_unless_may_join(group, member=member, now=now)
        if amount > group.missing:
            raise refusals.TooMuch(missing=group.missing)
        if amount == group.missing:
            _let_go_of_the_unfit(group, now=now)
        is_last = amount == group.missing
        if not is_last and _held(group).count() + 1 >= PARTS_MAX:
            raise refusals.TooManyParts(missing=group.missing)
        part = GroupPart(
            group=group,
            member=member,
            op_id=op_id,
            amount=amount,
            signed_by=signed_by,
            created_at=now,
        )
        if not is_last:
            hold_credits(member, op_id=op_id, amount=amount, group_public_id=group.public_id)
            _add(part)
            return part
        refusal = _try_to_complete(group, last=part, now=now)
        if refusal is not None:
            close_group(lock_group(group), to=State.REFUSED, now=now, failure_code=refusal.code)
    failpoint("group_after_commit")
    if refusal is not None:
        raise refusals.GroupFell(code=refusal.code)
    return part


def _let_go_of_the_unfit(group: GroupGift, *, now: datetime) -> None:
    """Parts that cannot be taken go back, and their gift collects on. The starter's is its own."""
    friends = Member.objects.filter(group_parts__in=_held(group)).exclude(pk=group.starter_id)
    for friend in friends.distinct().order_by("pk"):
        if not _may_pay(friend):
            amount = release_parts(group, now=now, member=friend)
            tell_of_gap(group, friend, amount=amount, now=now)


def _try_to_complete(group: GroupGift, *, last: GroupPart, now: datetime) -> ZoneError | None:
    """All of it, or nothing and why the claim was refused."""
    try:
        with transaction.atomic():
            _complete(group, last=last, now=now)
    except _FellThrough as fell:
        return fell.refusal
    return None


def _held(group: GroupGift) -> QuerySet[GroupPart]:
    return GroupPart.objects.filter(group=group, state=GroupPart.State.HELD)


def _add(part: GroupPart) -> None:
    part.save(force_insert=True)
    part.group.collected += part.amount
    part.group.save(update_fields=["collected"])


def _complete(group: GroupGift, *, last: GroupPart, now: datetime) -> None:
    """Take every part, make the one claim for the starter, and put it into its box.

    Accounts are taken by their members' keys, the last part's own among them: two gifts of the
    same friends that become complete at one instant wait for each other in one direction.
    """
    others = list(_held(group).select_related("member").order_by("member_id", "id"))
    if any(not _may_pay(part.member) for part in others):
        raise _FellThrough(refusals.PayerUnfit())
    for part in sorted([*others, last], key=lambda each: each.member_id):
        if part is last:
            hold_credits(
                last.member,
                op_id=last.op_id,
                amount=last.amount,
                group_public_id=group.public_id,
            )
            _add(last)
        _capture(part, now=now)
    claim = _claim(group, now=now)
    # Had its time run out in this very instant, the claim took another unit.
    claim_sql.end_place(entry_id=group.place_id, state=WaitlistEntry.State.LAPSED, now=now)
    gift = gifts.box_claim(
        claim,
        giver=group.starter,
        op_id=group.op_id,
        now=now,
        deliver_at=_hour_of(group, claim, now=now),
        number=NumberOfDay(group.started_on, group.nth),
        time_zone=group.time_zone,
        theme=group.theme,
        words=group.words,
        signed_by=group.signed_by,
        receiver_name=group.receiver_name,
    )
    group.state, group.closed_at = State.COMPLETE, now
    group.claim, group.gift, group.token_sealed = claim, gift, b""
    group.save(update_fields=["state", "closed_at", "claim", "gift", "token_sealed"])
    tell_payers(group, "group_complete", now=now)
    failpoint("group_before_commit")


def _may_pay(member: Member) -> bool:
    return member.status == Member.Status.ACTIVE and not member.is_frozen


def _capture(part: GroupPart, *, now: datetime) -> None:
    """The held credits are spent, each from its own member's account."""
    part.capture_op, part.closed_at = uuid7(), now
    part.state = GroupPart.State.TAKEN
    ledger.capture(member_id=part.member_id, hold_op=part.op_id, op_id=part.capture_op)
    part.save(update_fields=["capture_op", "closed_at", "state"])


def _claim(group: GroupGift, *, now: datetime) -> Claim:
    """The starter's claim of the unit that was held. Raises _FellThrough, or what may pass."""
    try:
        refuse_unless_eligible(member=group.starter, release=group.release, now=now)
        return claim_paid(
            member=group.starter,
            release=group.release,
            op_id=uuid7(),
            price=group.price_credits,
            actor=f"group:{group.public_id}",
            now=now,
        )
    except (errors.NotStarted, errors.Busy, Unavailable):
        raise  # Its hours, or ours: it passes by itself, and the last part can wait for that.
    except ZoneError as refusal:
        raise _FellThrough(refusal) from refusal


def _hour_of(group: GroupGift, claim: Claim, *, now: datetime) -> datetime | None:
    """The hour that was chosen, unless it has passed or the code would not live to see it."""
    hour = group.deliver_at
    hard_end = gift_moves.find_hard_end(claim)
    if hour is None or hour <= now or (hard_end is not None and hour >= hard_end):
        return None
    return hour
