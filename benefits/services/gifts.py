"""The giver's verbs: send, change, make a new link, call back; and an operator's stop."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from benefits import gift_errors as refusals
from benefits.errors import ClaimInTransit
from benefits.models import Claim, Code, Gift, GroupGift
from benefits.models.gift import GIFTS_PER_DAY_MAX
from benefits.services import gift_moves
from benefits.services.gift_moves import lock_gift
from benefits.services.group_returns import find_group_of
from zone.members.models import Member

RETURN_AFTER = timedelta(days=7)
AHEAD_DAYS_MAX = 60
# Life stands still on the way, so the number of ways is bounded.
TRIES_PER_CLAIM_MAX = 3

State = Gift.State


@dataclass(frozen=True, slots=True)
class NumberOfDay:
    """Which gift of its giver's local day it is: what the day's limit counts."""

    day: date
    nth: int


def send_gift(
    *,
    giver: Member,
    claim: Claim,
    op_id: UUID,
    now: datetime,
    theme: str,
    words: str = "",
    signed_by: str = "",
    receiver_name: str = "",
    deliver_at: datetime | None = None,
    time_zone: str = "",
) -> Gift:
    """Put a claim into a box with a link, to be opened from `deliver_at` on (now when absent).

    From this commit the claim is frozen: it cannot be shown, used or returned and does not end.
    Safe to repeat: the same giver and op_id return the first gift. The link is for the giver to
    pass on; `gift_moves.read_token` reads it while nobody has opened it.

    Raises NotGiftable, ClaimInTransit, PastHour, TooFarAhead, EndsBeforeDelivery, DailyLimit,
    TooManyTries.
    """
    with transaction.atomic():
        # The giver's row first: gifts of one member are counted one after the other.
        giver = Member.objects.select_for_update(no_key=True).get(pk=giver.pk)
        if first := Gift.objects.filter(giver=giver, op_id=op_id).first():
            return first
        claim = (
            Claim.objects.select_for_update(no_key=True, of=("self",))
            .select_related("benefit", "member")
            .get(pk=claim.pk)
        )
        refuse_unless_giftable(claim, giver=giver, now=now)
        return box_claim(
            claim,
            giver=giver,
            op_id=op_id,
            now=now,
            deliver_at=_check_hour(deliver_at, claim=claim, now=now) if deliver_at else None,
            number=take_number_of_day(giver, now=now),
            theme=theme,
            words=words,
            signed_by=signed_by,
            receiver_name=receiver_name,
            time_zone=time_zone,
        )


def box_claim(
    claim: Claim,
    *,
    giver: Member,
    op_id: UUID,
    now: datetime,
    deliver_at: datetime | None,
    number: NumberOfDay,
    time_zone: str,
    **card: str,
) -> Gift:
    """The locked claim is in a box from now on, under the number its gift has on its day."""
    hour = deliver_at or now
    gift = Gift.objects.create(
        op_id=op_id,
        claim=claim,
        giver=giver,
        state=State.DELIVERED if deliver_at is None else State.SCHEDULED,
        deliver_at=hour,
        time_zone=time_zone or giver.time_zone,
        returns_at=_return_of(claim, hour),
        next_attempt_at=_return_of(claim, hour) if deliver_at is None else hour,
        frozen_at=now,
        claim_valid_until=claim.valid_until,
        created_at=now,
        delivered_at=now if deliver_at is None else None,
        sent_on=number.day,
        nth=number.nth,
        **card,
        **gift_moves.new_link(),
    )
    claim.frozen_at = now
    claim.valid_until = None
    claim.updated_at = now
    claim.save(update_fields=["frozen_at", "valid_until", "updated_at"])
    gift_moves.record_gift_event(gift, cause="gift_send", actor=_actor(giver), now=now)
    return gift


def refuse_unless_giftable(claim: Claim, *, giver: Member, now: datetime) -> None:
    """Raises NotGiftable, ClaimInTransit or TooManyTries."""
    if claim.frozen_at is not None:
        raise ClaimInTransit()
    is_whole = claim.state_at(now) == Claim.State.GRANTED and claim.revealed_at is None
    if not (is_whole and claim.member_id == giver.pk and claim.benefit.is_giftable):
        raise refusals.NotGiftable()
    # What a provider put on the giver's own account has no code and cannot change hands.
    if not Code.objects.filter(release_id=claim.release_id, slot=claim.slot).exists():
        raise refusals.NotGiftable()
    if Gift.objects.filter(claim=claim).count() >= TRIES_PER_CLAIM_MAX:
        raise refusals.TooManyTries(limit=TRIES_PER_CLAIM_MAX)


def edit_gift(
    *,
    gift: Gift,
    now: datetime,
    theme: str,
    words: str,
    signed_by: str,
    receiver_name: str,
    deliver_at: datetime | None = None,
    time_zone: str = "",
) -> Gift:
    """Change card and words until it is opened, and the hour until it has struck.

    Without `deliver_at` the hour stays. Raises AlreadyOpened, GiftOver, PastHour, TooFarAhead,
    EndsBeforeDelivery.
    """
    with transaction.atomic():
        gift = lock_gift(gift)
        refuse_unless_unopened(gift, now=now)
        gift.theme, gift.words = theme, words
        gift.signed_by, gift.receiver_name = signed_by, receiver_name
        if deliver_at is not None and gift.state_at(now) == State.SCHEDULED:
            gift.deliver_at = _check_hour(deliver_at, claim=gift.claim, now=now)
            gift.time_zone = time_zone or gift.time_zone
            gift.returns_at = _return_of(gift.claim, gift.deliver_at)
            gift.next_attempt_at = gift.deliver_at
        gift.save(
            update_fields=[
                "theme", "words", "signed_by", "receiver_name", "deliver_at", "time_zone",
                "returns_at", "next_attempt_at",
            ]
        )  # fmt: skip
        gift_moves.record_gift_event(gift, cause="gift_edit", actor=_actor(gift.giver), now=now)
    return gift


def renew_link(*, gift: Gift, now: datetime) -> Gift:
    """A new link for an unopened gift that went to the wrong person; the old one is dead at once.

    Raises AlreadyOpened, GiftOver.
    """
    with transaction.atomic():
        gift = lock_gift(gift)
        refuse_unless_unopened(gift, now=now)
        for name, value in gift_moves.new_link().items():
            setattr(gift, name, value)
        gift.save(update_fields=["token_hash", "token_sealed"])
        gift_moves.record_gift_event(gift, cause="gift_relink", actor=_actor(gift.giver), now=now)
    return gift


def recall_gift(*, gift: Gift, now: datetime) -> Gift:
    """Call an unopened gift back: the claim is the giver's again, with the end it had.

    Was that end reached on the way, what was left of its life is left again. Safe to repeat.
    Raises AlreadyOpened, GiftOver; PaidTogether for what friends paid for with the giver.
    """
    with transaction.atomic():
        gift = lock_gift(gift)
        if gift.state == State.RECALLED:
            return gift
        if find_group_of(gift) is not None:
            raise refusals.PaidTogether()
        refuse_unless_unopened(gift, now=now)
        was = gift.claim_valid_until
        gift_moves.give_back(
            gift,
            to=State.RECALLED,
            cause="gift_recall",
            actor=_actor(gift.giver),
            now=now,
            valid_until=was if was and was > now else gift_moves.restored_end(gift, now=now),
        )
    return gift


def stop_gift_of(*, claim: Claim, actor: str, now: datetime, returns_parts: bool = False) -> None:
    """End whatever gift of this claim is under way, so that an operator can act on the claim.

    A claim with no gift under way is left alone. What friends paid for together is still there to
    be acted on, unless with `returns_parts` it ends here and each gets their share.
    """
    gift = Gift.objects.filter(claim=claim, state__in=Gift.OPEN_STATES).first()
    if gift is None:
        return
    with transaction.atomic():
        gift = lock_gift(gift)
        if not gift.is_under_way:
            return
        gift_moves.give_back(
            gift,
            to=State.STOPPED,
            cause="gift_stop",
            actor=actor,
            now=now,
            valid_until=gift_moves.restored_end(gift, now=now),
            returns_parts=returns_parts,
        )


def refuse_unless_unopened(gift: Gift, *, now: datetime) -> None:
    """Raises AlreadyOpened or GiftOver, as the gift stands at `now`."""
    if gift.state in (State.OPENED, State.ACCEPTED, State.DECLINED):
        raise refusals.AlreadyOpened()
    if not gift.is_under_way or gift.is_due_back(now):
        raise refusals.GiftOver(state=gift.state_at(now))


def refuse_unless_ahead(deliver_at: datetime, *, now: datetime) -> None:
    """Raises PastHour, TooFarAhead."""
    if deliver_at <= now:
        raise refusals.PastHour()
    if deliver_at > now + timedelta(days=AHEAD_DAYS_MAX):
        raise refusals.TooFarAhead(days=AHEAD_DAYS_MAX)


def _check_hour(deliver_at: datetime, *, claim: Claim, now: datetime) -> datetime:
    refuse_unless_ahead(deliver_at, now=now)
    hard_end = gift_moves.find_hard_end(claim)
    if hard_end is not None and deliver_at >= hard_end:
        raise refusals.EndsBeforeDelivery()
    return deliver_at


def _return_of(claim: Claim, hour: datetime) -> datetime:
    """A week after it was delivered, or when its code ends if that is sooner."""
    hard_end = gift_moves.find_hard_end(claim)
    after = hour + RETURN_AFTER
    return after if hard_end is None else max(min(after, hard_end), hour)


def take_number_of_day(giver: Member, *, now: datetime) -> NumberOfDay:
    """The next free number on the giver's local day. Called back or not, each counts.

    So does a gift with friends, on the day it was started. The giver's row is locked.
    Raises DailyLimit.
    """
    day = now.astimezone(ZoneInfo(giver.time_zone)).date()
    sent = Gift.objects.filter(giver=giver, sent_on=day).count()
    sent += GroupGift.objects.filter(starter=giver, started_on=day, gift=None).count()
    if sent >= GIFTS_PER_DAY_MAX:
        raise refusals.DailyLimit(limit=GIFTS_PER_DAY_MAX)
    return NumberOfDay(day, sent + 1)


def _actor(member: Member) -> str:
    return f"member:{member.public_id}"
