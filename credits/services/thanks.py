"""What a friend's first purchase gives whoever invited them, and takes back with its refund."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from credits import errors, ledger
from credits.kinds import Counter
from credits.models import EarnDecision, EarnPolicy
from credits.promises import Promise
from credits.rules import RuleBook, Usage, Worth, owed_back
from credits.services.events import record_event, worth_event
from credits.services.referrals import FirstPurchase, list_thanks, mark_refunded
from credits.services.taking import take_back
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.history.models import Charge, Refund


@dataclass(frozen=True, slots=True)
class Thanks:
    """What a friend's first purchase gives whoever invited them."""

    first: FirstPurchase
    worth: Worth
    op_id: UUID

    def matures_at(self, window: timedelta) -> datetime:
        return self.first.charge.paid_at + window

    def earn(self) -> ledger.Earn:
        event = self.first.event
        return ledger.Earn(
            member_id=event.member.pk,
            op_id=self.op_id,
            amount=self.worth.credits,
            counter=Counter.REFERRALS,
            reason="referral",
            related="referral",
            occurred_at=event.at,
        )

    def promise(self, matures_at: datetime) -> Promise:
        event = self.first.event
        return Promise(
            member_id=event.member.pk,
            op_id=self.op_id,
            amount=self.worth.credits,
            matures_at=matures_at,
            counter=Counter.REFERRALS,
            reason="referral",
            related="referral",
            occurred_at=event.at,
        )


def decide_thanks(
    firsts: Sequence[FirstPurchase], book: RuleBook, usage: dict[int, Usage]
) -> list[Thanks]:
    """By the rules for referrals, after everything the inviters' own purchases used up."""
    thanks, now = [], database_now()
    for first in firsts:
        worth = worth_event(first.event, book, usage)
        if worth.reason == EarnDecision.Reason.NO_RULE:
            continue
        if worth.credits:
            thanks.append(Thanks(first, worth, uuid7(now)))
        else:
            record_event(first.event, worth, op_id=None, now=now)
    return thanks


def record_thanks(
    thanks: Sequence[Thanks],
    answers: Sequence[ledger.Result | errors.LedgerError],
    window: timedelta,
    now: datetime,
) -> None:
    """Beside the credits: a closed account was not thanked, everybody else was or will be."""
    earned = iter(answers)
    for each in thanks:
        answer = next(earned) if each.matures_at(window) <= now else None
        if isinstance(answer, errors.LedgerError) and not isinstance(answer, errors.AccountClosed):
            raise answer
        is_closed = isinstance(answer, errors.AccountClosed)
        op_id = None if is_closed else each.op_id
        record_event(each.first.event, each.worth, op_id=op_id, now=now)


def take_back_thanks(
    refunds: Sequence[tuple[Charge, Refund]],
    refunded_of: Mapping[UUID, int],
    policy: EarnPolicy | None,
    now: datetime,
) -> None:
    """A friend's first purchase that came back takes its share of the thanks with it."""
    by_charge = {charge.id: (charge, refund) for charge, refund in refunds}
    for charge_id, event in list_thanks(by_charge).items():
        (charge, refund), refunded = by_charge[charge_id], refunded_of[charge_id]
        owed = owed_back(earned=event.credits, amount=charge.amount, refunded=refunded)
        if event.op_id is not None and owed > event.taken:
            event.taken += take_back(
                event.member_id,
                event.op_id,
                owed - event.taken,
                policy,
                now,
                related="referral",
                occurred_at=refund.refunded_at,
            )
            event.save(update_fields=["taken"])
        if refunded >= charge.amount:
            mark_refunded(charge_id)
