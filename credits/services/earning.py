"""Charges become credits, refunds take them back: once each, by the row that caused it."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce

from credits import errors, ledger
from credits.kinds import Counter, Funding
from credits.models import EarnDecision, EarnPolicy
from credits.promises import (
    Promise,
    mature_batch,
    promise_batch,
)
from credits.queries.earning import (
    list_first_charges,
    list_purchases,
    parts_as_facts,
    read_rule_book,
    read_usage,
)
from credits.rules import Purchase, RuleBook, Usage, Worth, owed_back, worth_of_purchase
from credits.services.apple_accounts import list_returning_charges
from credits.services.missions import Deed, advance_missions
from credits.services.referrals import settle_first_purchases
from credits.services.taking import take_back
from credits.services.thanks import decide_thanks, record_thanks, take_back_thanks
from credits.services.tiers import mark_tiers_due
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.core.stuck import together_or_alone
from zone.history.models import Charge, Refund
from zone.history.queries.crediting import list_uncredited_charges, list_uncredited_refunds
from zone.history.services.crediting import (
    EarnedCharge,
    TakenRefund,
    mark_charges_credited,
    mark_refunds_credited,
)
from zone.members.models import Member

CHARGES_PER_COMMIT = 200
REFUNDS_PER_COMMIT = 100


@dataclass(frozen=True, slots=True)
class Drained:
    charges: int
    refunds: int
    matured: int = 0

    @property
    def is_empty(self) -> bool:
        return self.charges == self.refunds == self.matured == 0


def drain_earning(*, is_backdated: bool = False) -> Drained:
    """Credit one batch of charges and one batch of refunds; each batch is one commit.

    Safe to repeat, to race and to kill: a charge is marked in the commit that posts its credits.
    `is_backdated` posts at the moment of the purchase instead of now, where nothing newer stands
    in the way: for a first import of history.
    """
    return Drained(
        charges=credit_charges(is_backdated=is_backdated),
        refunds=take_back_refunds(),
        matured=mature_promises(),
    )


def credit_charges(*, limit: int = CHARGES_PER_COMMIT, is_backdated: bool = False) -> int:
    """Earn for up to `limit` charges by today's rules; says how many were looked at.

    What the programme owes for a purchase is posted even to a frozen account, where it cannot be
    spent. A closed account earns nothing.
    """
    return together_or_alone(
        "charges",
        take=list_uncredited_charges,
        do=lambda charges: _credit(charges, is_backdated=is_backdated),
        key=lambda charge: charge.pk,
        limit=limit,
    )


def _credit(charges: list[Charge], *, is_backdated: bool) -> None:
    if not charges:
        return
    now = database_now()
    book = read_rule_book()
    returning = list_returning_charges(charges, now=now)
    firsts = settle_first_purchases(charges, now=now, returning=returning)
    inviter_ids = [first.event.member.pk for first in firsts]
    worths, usage = _decide(charges, book, inviter_ids, returning)
    thanks = decide_thanks(firsts, book, usage)
    window = timedelta(days=book.policy.return_days if book.policy else 0)
    giving = [charge for charge in charges if worths[charge.id].credits > 0]
    earning = [charge for charge in giving if charge.paid_at + window <= now]
    operations = {charge.id: uuid7(charge.paid_at if is_backdated else now) for charge in giving}
    answers = ledger.earn_batch(
        [
            ledger.Earn(
                member_id=charge.member_id,
                op_id=operations[charge.id],
                amount=worths[charge.id].credits,
                funding=Funding.PROMOTIONAL,
                counter=Counter.PURCHASES,
                reason="purchase",
                related=charge.public_id,
                occurred_at=charge.paid_at,
                posted_at=charge.paid_at if is_backdated else None,
            )
            for charge in earning
        ]
        + [each.earn() for each in thanks if each.matures_at(window) <= now],
        is_owed=True,
    )
    waiting = [charge for charge in giving if charge.paid_at + window > now]
    promise_batch(
        [
            Promise(
                member_id=charge.member_id,
                op_id=operations[charge.id],
                amount=worths[charge.id].credits,
                matures_at=charge.paid_at + window,
                counter=Counter.PURCHASES,
                reason="purchase",
                related=charge.public_id,
                occurred_at=charge.paid_at,
            )
            for charge in waiting
        ]
        + [
            each.promise(each.matures_at(window))
            for each in thanks
            if each.matures_at(window) > now
        ]
    )
    by_charge = dict(zip((charge.id for charge in earning), answers, strict=False))
    record_thanks(thanks, answers[len(earning) :], window, now)
    earned = {charge.id: _earned(charge, by_charge.get(charge.id)) for charge in charges}
    for charge in waiting:
        earned[charge.id] = EarnedCharge(
            charge.id, worths[charge.id].credits, operations[charge.id]
        )
    mark_charges_credited(list(earned.values()), at=now)
    EarnDecision.objects.bulk_create(
        [_decision(charge, worths[charge.id], earned[charge.id], now) for charge in charges]
    )
    mark_tiers_due(charge.member_id for charge in earning)
    mark_tiers_due(each.first.event.member.pk for each in thanks)
    advance_missions(
        [each for charge in charges for each in _deeds(charge, charge.member, charge.amount, True)]
    )


def _deeds(charge: Charge, member: Member, amount: int, counts_whole: bool) -> list[Deed]:
    """A purchase, or what came back of it (below zero), as missions count it: on its own day."""
    on = charge.paid_at.astimezone(ZoneInfo(member.time_zone)).date()
    deeds = [Deed(charge.member_id, "amount", amount, charge.paid_at, on, charge.currency)]
    if counts_whole:
        step = 1 if amount > 0 else -1
        deeds.append(Deed(charge.member_id, "purchases", step, charge.paid_at, on, charge.currency))
    return deeds


def _decide(
    charges: list[Charge], book: RuleBook, inviter_ids: Collection[int], returning: set[UUID]
) -> tuple[dict[UUID, Worth], dict[int, Usage]]:
    """What each charge is worth, oldest first: each counts towards the limits of the next.

    And what its members, and those to be thanked for them, have used of their limits after it.
    """
    member_ids = {charge.member_id for charge in charges} | set(inviter_ids)
    usage: dict[int, Usage] = {}
    firsts: set[UUID] = set()
    if book.has_limits:
        # Two drains may hold two charges of one member: the second waits, and sees the first.
        list(Member.objects.filter(pk__in=member_ids).order_by("pk").select_for_update(no_key=True))
        firsts = list_first_charges(member_ids) - returning
    purchases = list_purchases(charges, firsts)
    if book.has_limits:
        usage = read_usage(member_ids, [each.paid_on for each in purchases.values()], book)
    worths: dict[UUID, Worth] = {}
    for charge in charges:
        used = usage.setdefault(charge.member_id, Usage())
        worth = worth_of_purchase(purchases[charge.id], book, used)
        used.add(purchases[charge.id], worth)
        worths[charge.id] = replace(worth, credits=min(worth.credits, ledger.AMOUNT_MAX))
    return worths, usage


def _decision(charge: Charge, worth: Worth, earned: EarnedCharge, now: datetime) -> EarnDecision:
    is_closed = worth.credits > 0 and earned.earn_op_id is None
    return EarnDecision(
        charge_id=charge.id,
        member_id=charge.member_id,
        paid_on=charge.paid_at.astimezone(ZoneInfo(charge.member.time_zone)).date(),
        credits=earned.credits_earned,
        reason=EarnDecision.Reason.CLOSED if is_closed else worth.reason,
        parts=parts_as_facts(worth.parts),
        trimmed=min(worth.trimmed, ledger.AMOUNT_MAX),
        cap=worth.cap,
        decided_at=now,
    )


def _earned(charge: Charge, answer: ledger.Result | errors.LedgerError | None) -> EarnedCharge:
    if isinstance(answer, ledger.Result):
        return EarnedCharge(charge.id, answer.amount, answer.op_id)
    if answer is None or isinstance(answer, errors.AccountClosed):
        return EarnedCharge(charge.id, 0, None)
    raise answer


def take_back_refunds(*, limit: int = REFUNDS_PER_COMMIT) -> int:
    """Take back what refunded purchases earned; says how many refunds were looked at.

    Of a charge's credits, the share refunded so far is owed back, rounded up; each refund takes
    what earlier ones did not. What still waits for its return window is canceled first; of what
    was earned, the policy in force says how much is taken: all of it (what the member no longer
    has becomes debt), what is there, or nothing.
    """
    return together_or_alone(
        "refunds",
        take=list_uncredited_refunds,
        do=_take_back,
        key=lambda refund: refund.pk,
        limit=limit,
    )


def _take_back(refunds: list[Refund]) -> None:
    if not refunds:
        return
    now = database_now()
    policy = EarnPolicy.objects.filter(is_active=True).first()
    progress = _progress_of({refund.charge_id for refund in refunds if refund.charge_id})
    taken: list[TakenRefund] = []
    undone: list[Deed] = []
    # Rising members, as every batch takes them: two batches cannot deadlock.
    for refund in sorted(refunds, key=lambda refund: (refund.member_id, refund.id)):
        amount = _to_take(refund, progress)
        earn_op = _charge_of(refund).earn_op_id
        took = _take_refund(refund, earn_op, amount, policy, now) if earn_op and amount > 0 else 0
        progress[_charge_of(refund).id].taken += took
        undone += _undone(refund, progress)
        taken.append(TakenRefund(refund.id, took))
    refunded = {key: each.refunded for key, each in progress.items()}
    take_back_thanks([(_charge_of(each), each) for each in refunds], refunded, policy, now)
    mark_refunds_credited(taken, at=now)
    mark_tiers_due(refund.member_id for refund in refunds)
    advance_missions(undone)


@dataclass(slots=True)
class _Progress:
    """Of one charge: money that came back and credits taken, by the refunds dealt with so far."""

    refunded: int = 0
    taken: int = 0


def _progress_of(charge_ids: set[UUID]) -> defaultdict[UUID, _Progress]:
    progress: defaultdict[UUID, _Progress] = defaultdict(_Progress)
    rows = (
        Refund.objects.filter(charge_id__in=charge_ids, credited_at__isnull=False)
        .values("charge_id")
        .annotate(refunded=Sum("amount"), taken=Coalesce(Sum("credits_taken"), 0))
    )
    for row in rows:
        progress[row["charge_id"]] = _Progress(row["refunded"], row["taken"])
    return progress


def _to_take(refund: Refund, progress: defaultdict[UUID, _Progress]) -> int:
    charge = _charge_of(refund)
    so_far = progress[charge.id]
    so_far.refunded += refund.amount
    if not charge.credits_earned or charge.earn_op_id is None:
        return 0
    owed = owed_back(earned=charge.credits_earned, amount=charge.amount, refunded=so_far.refunded)
    return max(0, owed - so_far.taken)


def _undone(refund: Refund, progress: defaultdict[UUID, _Progress]) -> list[Deed]:
    """A refund takes its money off; the one that makes the refund whole, the purchase too."""
    charge = _charge_of(refund)
    is_whole = progress[charge.id].refunded >= charge.amount
    return _deeds(charge, refund.member, -refund.amount, is_whole)


def _take_refund(
    refund: Refund, earn_op: UUID, amount: int, policy: EarnPolicy | None, now: datetime
) -> int:
    return take_back(
        refund.member_id,
        earn_op,
        amount,
        policy,
        now,
        related=refund.public_id,
        occurred_at=refund.refunded_at,
    )


@transaction.atomic
def mature_promises(*, limit: int = CHARGES_PER_COMMIT) -> int:
    """Earn promises whose return window has passed; says how many. Safe to repeat and to race."""
    member_ids = mature_batch(limit)
    if member_ids:
        mark_tiers_due(member_ids)
    return len(member_ids)


def _charge_of(refund: Refund) -> Charge:
    charge: Charge | None = refund.charge
    if charge is None:
        raise ValueError(f"refund {refund.public_id} is applied and has no charge")
    return charge


def earn_preview(*, amount: int, currency: str, at: datetime) -> int:
    """What a plain purchase of `amount` minor units would earn at that moment."""
    purchase = Purchase(amount=amount, currency=currency, paid_at=at, paid_on=at.date())
    return worth_of_purchase(purchase, read_rule_book(), Usage()).credits
