"""A gift that friends pay for together: started, called off, and a part put in or taken back.

Lock order: the starter's row (only to start), the group's, then the members' accounts by their
keys, then the line of the release. Credits stay where they are until all are there: each part is a
hold on its own member's account, and no credit ever passes from one member to another.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from benefits import claim_sql, errors, queries, rules
from benefits import group_errors as refusals
from benefits.gift_errors import GiverBlocked
from benefits.group_queries import may_be_grouped, read_return_percent
from benefits.models import (
    GiftBlock,
    GroupGift,
    GroupPart,
    Release,
    WaitlistEntry,
)
from benefits.models.claim import COUNTED
from benefits.models.group_gift import GROUPS_AT_ONCE_MAX
from benefits.services import gift_moves, gifts
from benefits.services.claims import refuse_unless_eligible
from benefits.services.group_notices import tell_payers
from credits import ledger
from credits.errors import AccountClosed, InsufficientCredits, MemberFrozen
from credits.kinds import Counter
from zone.core.errors import NotFound
from zone.core.ids import new_public_id, uuid7
from zone.members.models import Member

REASON = "gift"
State = GroupGift.State


def start_group(
    *,
    starter: Member,
    release: Release,
    op_id: UUID,
    amount: int,
    price: int,
    days: int,
    now: datetime,
    theme: str,
    words: str = "",
    signed_by: str = "",
    receiver_name: str = "",
    deliver_at: datetime | None = None,
    time_zone: str = "",
) -> GroupGift:
    """Collecting begins: a unit is held for the gift until its end, and the starter's part with it.

    The end is `days` from now (a page allows thirty), and sooner where nobody can claim the benefit
    any more by then. The unit is held as a partner's is, so it cannot sell out meanwhile. `price` is
    what the page said. Safe to repeat: the same starter and op_id return the first group.

    Raises NotForGroups, PayItAlone, TooManyGroups, DailyLimit, PastHour, TooFarAhead, LimitReached,
    AlreadyHeld, SoldOut, PriceChanged, NotEnoughCredits, and what a claim would be refused with.
    """
    with transaction.atomic():
        starter = Member.objects.select_for_update(no_key=True).get(pk=starter.pk)
        if first := GroupGift.objects.filter(starter=starter, op_id=op_id).first():
            return first
        refuse_unless_startable(release, starter=starter, price=price, now=now)
        if amount >= price:
            raise refusals.PayItAlone()
        if deliver_at is not None:
            gifts.refuse_unless_ahead(deliver_at, now=now)
        number = gifts.take_number_of_day(starter, now=now)
        public_id = new_public_id("ggf")
        # The account before the unit, as a claim does.
        hold_credits(starter, op_id=op_id, amount=amount, group_public_id=public_id)
        place = _hold_unit(starter, release, op_id=op_id, until=now + timedelta(days=days))
        assert place.offered_until is not None  # noqa: S101  A constraint: an offer ends.
        group = GroupGift.objects.create(
            public_id=public_id,
            op_id=op_id,
            starter=starter,
            release=release,
            place=place,
            price_credits=price,
            collected=amount,
            return_percent=read_return_percent(release),
            theme=theme,
            words=words,
            signed_by=signed_by,
            receiver_name=receiver_name,
            deliver_at=deliver_at,
            time_zone=time_zone or starter.time_zone,
            started_on=number.day,
            nth=number.nth,
            created_at=now,
            ends_at=place.offered_until,
            **gift_moves.new_link(),
        )
        GroupPart.objects.create(
            group=group,
            member=starter,
            op_id=op_id,
            amount=amount,
            signed_by=signed_by,
            created_at=now,
        )
    return group


def refuse_unless_startable(
    release: Release, *, starter: Member, price: int, now: datetime
) -> None:
    """Raises why this member cannot collect for this release now, the nearest reason first."""
    if not may_be_grouped(release):
        raise refusals.NotForGroups()
    refuse_unless_eligible(member=starter, release=release, now=now)
    chosen = [(release.benefit, release)]
    terms = queries.read_terms(member=starter, chosen=chosen, now=now)[release.benefit_id]
    if terms.refusal is not None:
        raise terms.refusal
    if terms.price_credits != price:
        raise errors.PriceChanged()
    open_groups = GroupGift.objects.filter(starter=starter, state=State.COLLECTING)
    if open_groups.count() >= GROUPS_AT_ONCE_MAX:
        raise refusals.TooManyGroups(limit=GROUPS_AT_ONCE_MAX)
    if starter.claims.filter(COUNTED, release=release).count() >= release.per_member:
        raise errors.LimitReached(limit=release.per_member)


def hold_credits(member: Member, *, op_id: UUID, amount: int, group_public_id: str) -> None:
    """Set a part aside on its member's own account. Raises NotEnoughCredits, MemberSuspended."""
    try:
        ledger.hold(
            member_id=member.pk,
            op_id=op_id,
            amount=amount,
            counter=Counter.BENEFITS,
            reason=REASON,
            related=group_public_id,
        )
    except InsufficientCredits as refusal:
        available = int(refusal.facts.get("available") or 0)
        raise errors.NotEnoughCredits(
            gap=max(amount - available, 1), available=available
        ) from refusal
    except (MemberFrozen, AccountClosed) as refusal:
        raise errors.MemberSuspended() from refusal


def lock_group(group: GroupGift) -> GroupGift:
    """The group as it is now, its row ours until the commit."""
    return (
        GroupGift.objects.select_for_update(no_key=True, of=("self",))
        .select_related("starter__wallet", "release__benefit")
        .get(pk=group.pk)
    )


def refuse_unless_may_join(group: GroupGift, *, member: Member, now: datetime) -> None:
    """Raises why this member cannot put anything in at `now`, the nearest reason first."""
    if group.is_over_at(now):
        raise refusals.GroupOver(state=group.state_at(now))
    theirs, ours = group.starter.wallet, member.wallet
    if theirs.livemode != ours.livemode:
        raise NotFound()
    if theirs.country != ours.country:
        raise refusals.GroupElsewhere()
    if GiftBlock.objects.filter(member=member, giver_id=group.starter_id).exists():
        raise GiverBlocked()
    facts = rules.facts_of(member, now=now)
    if refusal := rules.find_member_refusal(benefit=group.release.benefit, facts=facts):
        raise refusal


def take_back(*, group: GroupGift, member: Member, now: datetime) -> int:
    """All that this member put in is theirs again; how much it was. Safe to repeat: then nothing.

    Raises PartTaken once it is complete, GroupOver once it has ended.
    """
    with transaction.atomic():
        group = lock_group(group)
        if group.state in GroupGift.GIVEN_STATES:
            raise refusals.PartTaken()
        if group.is_over_at(now):
            raise refusals.GroupOver(state=group.state_at(now))
        return release_parts(group, now=now, member=member)


def call_off(*, group: GroupGift, actor: str, now: datetime, note: str = "") -> GroupGift:
    """It is over: every part goes back, the unit to its release, and everybody is told.

    `note` is an operator's reason. Safe to repeat. Raises PartTaken once it is complete, GroupOver
    once it has ended otherwise.
    """
    with transaction.atomic():
        group = lock_group(group)
        if group.state == State.CALLED_OFF:
            return group
        if group.state in GroupGift.GIVEN_STATES:
            raise refusals.PartTaken()
        if group.is_over_at(now):
            raise refusals.GroupOver(state=group.state_at(now))
        close_group(group, to=State.CALLED_OFF, now=now, closed_by=actor, note=note)
    return group


def withdraw(*, member: Member, actor: str, now: datetime) -> None:
    """Nothing of this member is collected with any more: theirs is called off, others go on."""
    mine = Q(starter=member) | Q(parts__member=member, parts__state=GroupPart.State.HELD)
    for row in GroupGift.objects.filter(mine, state=State.COLLECTING).distinct().order_by("id"):
        with transaction.atomic():
            group = lock_group(row)
            if group.state != State.COLLECTING:
                continue
            if group.starter_id == member.pk:
                close_group(group, to=State.CALLED_OFF, now=now, closed_by=actor)
            else:
                release_parts(group, now=now, member=member)


def close_group(group: GroupGift, *, to: str, now: datetime, **facts: str) -> None:
    """The locked, collecting group ends without a gift; holds are released, once."""
    payers = set(_held_parts(group).values_list("member_id", flat=True))
    release_parts(group, now=now)
    claim_sql.end_place(entry_id=group.place_id, state=WaitlistEntry.State.DECLINED, now=now)
    for name, value in facts.items():
        setattr(group, name, value)
    group.state, group.closed_at, group.token_sealed = to, now, b""
    group.save(update_fields=["state", "closed_at", "token_sealed", *facts])
    tell_payers(group, f"group_{to}", now=now, members=payers)


def release_parts(group: GroupGift, *, now: datetime, member: Member | None = None) -> int:
    """What is held for the locked group, or of it what `member` put in, is theirs again."""
    parts = _held_parts(group)
    if member is not None:
        parts = parts.filter(member=member)
    total = 0
    for part in parts.order_by("member_id", "id"):
        ledger.void(member_id=part.member_id, hold_op=part.op_id, op_id=uuid7())
        GroupPart.objects.filter(pk=part.pk, state=GroupPart.State.HELD).update(
            state=GroupPart.State.RELEASED, closed_at=now
        )
        total += part.amount
    group.collected -= total
    group.save(update_fields=["collected"])
    return total


def _held_parts(group: GroupGift) -> QuerySet[GroupPart]:
    return GroupPart.objects.filter(group=group, state=GroupPart.State.HELD)


def _hold_unit(starter: Member, release: Release, *, op_id: UUID, until: datetime) -> WaitlistEntry:
    """A unit of the release in the starter's name, for as long as it can be claimed."""
    ends = (until, release.benefit.claimable_until)
    code, entry_id = claim_sql.hold_slot(
        release_id=release.pk,
        member_id=starter.pk,
        op_id=op_id,
        until=min(end for end in ends if end is not None),
    )
    if code == "already_held":
        raise errors.AlreadyHeld()
    if entry_id is None:
        raise errors.SoldOut()
    return WaitlistEntry.objects.get(pk=entry_id)
