"""Using a claim: whole, or part of its value, with the order it was used for; and undoing that."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Sum

from benefits.errors import (
    AlreadyRedeemed,
    ClaimNotUsable,
    ClaimPending,
    OrderNotEligible,
    RollbackRefused,
)
from benefits.models import Claim, Redemption
from benefits.models.release import Fulfilment
from benefits.services.moves import lock_claim, move_claim, record_event
from benefits.services.trials import start_trial

State = Claim.State
Status = Redemption.Status


@dataclass(frozen=True, slots=True)
class Order:
    """What a claim is used for. Amounts are minor units; None where the shop did not say."""

    reference: str = ""
    amount: int | None = None
    currency: str = ""
    storefront: str = ""


@dataclass(frozen=True, slots=True)
class Discount:
    """Money off an order."""

    currency: str
    value: int


NO_ORDER = Order()


def is_divisible(claim: Claim) -> bool:
    """Whether its value may be used in parts."""
    return bool(claim.benefit.detail.get("is_divisible"))


def find_value_left(claim: Claim) -> Discount | None:
    """What is left of a claim's value in money; None for a benefit that has none."""
    detail = claim.benefit.detail
    if "amount_off" not in detail:
        return None
    used = (
        claim.redemptions.filter(discount__isnull=False).aggregate(
            used=Sum(F("discount") - F("discount_back"))
        )["used"]
        or 0
    )
    return Discount(str(detail["currency"]), max(int(detail["amount_off"]) - used, 0))


def find_discount(*, claim: Claim, order: Order, now: datetime) -> Discount | None:
    """What using the claim for `order` at `now` would take off. Changes nothing.

    Raises ClaimPending, AlreadyRedeemed, ClaimNotUsable, OrderNotEligible.
    """
    state = claim.state_at(now)
    if state == State.REDEEMED:
        raise AlreadyRedeemed(redeemed_at=claim.redeemed_at)
    if state == State.RESERVED:
        raise ClaimPending()
    if state != State.GRANTED or (claim.valid_from is not None and claim.valid_from > now):
        raise ClaimNotUsable(status=state)
    if claim.mode == Fulfilment.DRAW:
        raise ClaimNotUsable(status=state)  # Its draw uses it.
    if claim.member.is_frozen:
        raise ClaimNotUsable(status=state)  # A shop is not told why; support tells the member.
    storefronts = claim.benefit.storefronts
    if order.storefront and storefronts and order.storefront not in storefronts:
        raise OrderNotEligible(reason="storefront")
    left = find_value_left(claim)
    if left is None:
        return None
    if order.amount is None:
        return left
    if order.currency != left.currency:
        raise OrderNotEligible(reason="currency")
    if order.amount < claim.benefit.detail.get("minimum_spend", 0):
        raise OrderNotEligible(reason="minimum_spend")
    return Discount(left.currency, min(left.value, order.amount))


def redeem_claim(
    *,
    claim: Claim,
    now: datetime,
    actor: str,
    order: Order = NO_ORDER,
    partner_id: int | None = None,
    external_id: str | None = None,
) -> Redemption:
    """A granted claim is used; one with a divisible value, as far as the order goes.

    The end is decided here, whether or not the sweep has been by. Uses of one claim take turns on
    its row: of two whole ones the second is refused with the moment of the first.

    Raises AlreadyRedeemed, ClaimPending, ClaimNotUsable, OrderNotEligible; IntegrityError when the
    partner's `external_id` already names another use.
    """
    with transaction.atomic():
        locked = lock_claim(claim)
        discount = find_discount(claim=locked, order=order, now=now)
        used = Redemption.objects.create(
            claim=locked,
            partner_id=partner_id,
            livemode=locked.livemode,
            external_id=external_id,
            order_reference=order.reference,
            order_amount=order.amount,
            order_currency=order.currency,
            storefront=order.storefront,
            discount=discount.value if discount else None,
            currency=discount.currency if discount else "",
            actor=actor,
            redeemed_at=now,
        )
        # What for stands in the redemption: events are kept for good, also of who is forgotten.
        facts = {"redemption": used.public_id}
        left = find_value_left(locked) if is_divisible(locked) else None
        if left is not None and left.value > 0:
            facts["left"] = left.value  # type: ignore[assignment]
            record_event(
                locked,
                was=locked.state,
                to=locked.state,
                cause="redeem_part",
                actor=actor,
                now=now,
                facts=facts,
            )
        else:
            move_claim(
                locked,
                to=State.REDEEMED,
                cause="redeem",
                actor=actor,
                now=now,
                facts=facts,
                redeemed_at=now,
            )
            start_trial(claim=locked, now=now)
    return used


def roll_back_redemption(
    *,
    redemption: Redemption,
    now: datetime,
    actor: str,
    reason: str = "",
    amount: int | None = None,
) -> Redemption:
    """A use is undone, whole or by `amount` of a divisible value: the claim is granted again.

    It keeps its old end. Safe to repeat and to race: a use is rolled back once, and whoever comes
    later gets the same row.

    Raises RollbackRefused for a part of what has no parts or for more than was used,
    ClaimNotUsable when the claim has moved on since.
    """
    with transaction.atomic():
        claim = lock_claim(redemption.claim)
        locked = Redemption.objects.select_related("claim").get(pk=redemption.pk)
        if locked.status == Status.ROLLED_BACK:
            return locked
        part = _part_of(locked, claim, amount)
        if claim.state not in (State.REDEEMED, State.GRANTED) or claim.mode == Fulfilment.CREDITS:
            raise ClaimNotUsable(status=claim.state)
        locked.discount_back += part
        if locked.discount is None or locked.discount_back == locked.discount:
            locked.status = Status.ROLLED_BACK
            locked.rolled_back_at = now
        locked.rollback_reason = reason
        locked.save(update_fields=["discount_back", "status", "rolled_back_at", "rollback_reason"])
        facts = {"redemption": locked.public_id}
        if claim.state == State.REDEEMED:
            move_claim(
                claim,
                to=State.GRANTED,
                cause="roll_back",
                actor=actor,
                now=now,
                facts=facts,
                redeemed_at=None,
            )
        else:
            record_event(
                claim,
                was=claim.state,
                to=claim.state,
                cause="roll_back_part",
                actor=actor,
                now=now,
                facts=facts,
            )
    return locked


def _part_of(redemption: Redemption, claim: Claim, amount: int | None) -> int:
    """How much of the discount goes back. Raises RollbackRefused."""
    if redemption.discount is None:
        if amount is not None:
            raise RollbackRefused()
        return 0
    left = redemption.discount - redemption.discount_back
    if amount is None or amount == left:
        return left
    if amount > left or not is_divisible(claim):
        raise RollbackRefused()
    return amount
