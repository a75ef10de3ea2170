"""A claim that is about to lapse: more time for it, or somebody else who is glad of it.

Using it, sending it to a friend and giving it back have their own verbs. These two are a favour,
once a month each; the database keeps count.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from benefits import claim_sql, errors
from benefits.models import Claim, Code, Rescue, ReturnedSlot, WaitlistEntry
from benefits.models.release import Fulfilment
from benefits.services.moves import lock_claim, move_claim, record_event
from benefits.services.notices import EXPIRING_HOURS
from benefits.services.provider_endings import is_kept_elsewhere
from benefits.services.returns import find_return_offer, give_credits_back
from credits import ledger
from credits.kinds import Counter
from zone.core.ids import uuid7

State = Claim.State
NEAR_END = timedelta(hours=EXPIRING_HOURS)


@dataclass(frozen=True, slots=True)
class RescueOffer:
    """What can be done for a claim near its end; each None when it cannot."""

    snooze_until: datetime | None
    thanks: int | None  # credits for passing it on, besides what giving it back returns
    credits_back: int
    is_in_wallet: bool = False  # Its end is the wallet's, which has no way to move it.


def is_near_end(claim: Claim, *, now: datetime) -> bool:
    """Whether the claim ends within three days."""
    return (
        claim.state_at(now) == State.GRANTED
        and claim.frozen_at is None
        and claim.valid_until is not None
        and claim.valid_until - now <= NEAR_END
    )


def find_rescue_offer(claim: Claim, *, now: datetime) -> RescueOffer:
    """What the owner may do at `now`; what a press would be answered with."""
    nothing = RescueOffer(None, None, 0, is_kept_elsewhere(claim))
    if not is_near_end(claim, now=now):
        return nothing
    month = month_of(claim, now=now)
    used = set(
        Rescue.objects.filter(member_id=claim.member_id, month=month).values_list("kind", flat=True)
    )
    snooze_until = None if Rescue.Kind.SNOOZE in used else _later_end(claim)
    returned = find_return_offer(claim, now=now)
    thanks = None
    if returned is not None and claim.mode == Fulfilment.CODES and Rescue.Kind.PASS_ON not in used:
        is_waited_for = WaitlistEntry.objects.filter(
            release_id=claim.release_id, state=WaitlistEntry.State.WAITING
        ).exists()
        thanks = claim.benefit.thanks_credits if is_waited_for else None
    credits_back = returned.credits_back if returned else 0
    return RescueOffer(snooze_until, thanks, credits_back, nothing.is_in_wallet)


def month_of(claim: Claim, *, now: datetime) -> str:
    """The month of the owner's own calendar, such as 2026-11."""
    return f"{now.astimezone(ZoneInfo(claim.member.time_zone)):%Y-%m}"


def _later_end(claim: Claim) -> datetime | None:
    """The end after a snooze: never past the benefit's own end, nor the last day of its code.

    None when that gives no further day, or when the end is a provider's to set.
    """
    benefit = claim.benefit
    if claim.mode != Fulfilment.CODES or not benefit.snooze_days or claim.valid_until is None:
        return None
    zone = claim.member.time_zone
    code = Code.objects.filter(release_id=claim.release_id, slot=claim.slot).first()
    code_ends_on: date | None = code.expires_on if code else None
    later = claim_sql.valid_until(
        at=claim.valid_until,
        zone=zone,
        days=benefit.snooze_days,
        cap=benefit.usable_until,
        code_ends_on=code_ends_on,
    )
    return later if later and later - claim.valid_until >= timedelta(hours=23) else None


def snooze_claim(*, claim: Claim, now: datetime, actor: str) -> Claim:
    """A week more for a claim that ends within three days: once a month for each member.

    Raises RescueRefused when it is not near its end, when its code or benefit ends too soon for
    more, or when this month's was used; WalletKeepsEnd for a voucher that lies in a wallet.
    """
    with transaction.atomic():
        locked = lock_claim(claim)
        if is_kept_elsewhere(locked):
            raise errors.WalletKeepsEnd()
        was_until = locked.valid_until
        until = find_rescue_offer(locked, now=now).snooze_until
        if until is None:
            raise errors.RescueRefused()
        _record(locked, Rescue.Kind.SNOOZE, now=now, was_until=was_until, is_until=until)
        # It is told again when the new end comes near.
        Claim.objects.filter(pk=locked.pk).update(
            valid_until=until, reminded_at=None, updated_at=now
        )
        locked.valid_until = until
        record_event(
            locked,
            was=locked.state,
            to=locked.state,
            cause="snooze",
            actor=actor,
            now=now,
            facts={"was": was_until.isoformat() if was_until else "", "until": until.isoformat()},
        )
    return locked


def pass_on_claim(*, claim: Claim, now: datetime, actor: str) -> Claim:
    """An unseen claim near its end goes to the first in line, whom it is offered to at once.

    Its owner gets what giving it back returns, and the benefit's thank-you credits; all of it in
    one commit. Once a month for each member.

    Raises RescueRefused when nobody waits any more, and for the reasons of a snooze.
    """
    with transaction.atomic():
        locked = lock_claim(claim)
        offer = find_rescue_offer(locked, now=now)
        if offer.thanks is None:
            raise errors.RescueRefused()
        op_id = uuid7()
        rescue = _record(
            locked, Rescue.Kind.PASS_ON, now=now, was_until=locked.valid_until,
            thanks=offer.thanks, op_id=op_id if offer.thanks else None,
        )  # fmt: skip
        move_claim(
            locked,
            to=State.RETURNED,
            cause="pass_on",
            actor=actor,
            now=now,
            facts={"credits_back": offer.credits_back, "thanks": offer.thanks},
            ended_at=now,
        )
        give_credits_back(locked, amount=offer.credits_back)
        if offer.thanks:
            ledger.earn(
                member_id=locked.member_id,
                op_id=op_id,
                amount=offer.thanks,
                counter=Counter.CAMPAIGNS,
                reason="pass_on",
                related=rescue.public_id,
            )
        claim_sql.let_go(claim_id=locked.pk, now=now)
        is_offered = ReturnedSlot.objects.filter(
            release_id=locked.release_id, slot=locked.slot, offered_to__isnull=False
        ).exists()
        if not is_offered:  # The last in line left an instant ago.
            raise errors.RescueRefused()
    return locked


def _record(claim: Claim, kind: Rescue.Kind, *, now: datetime, **facts: object) -> Rescue:
    """The row that says it was done, and keeps it to one a month. Raises RescueRefused."""
    try:
        with transaction.atomic():
            return Rescue.objects.create(
                member_id=claim.member_id,
                claim=claim,
                kind=kind,
                month=month_of(claim, now=now),
                at=now,
                **facts,
            )
    except IntegrityError as error:
        raise errors.RescueRefused() from error
