"""One outcome for each message, in the order illegal, duplicate, inconsistent, unlinked, stored.

Decided in memory against what the database knows and what this very batch already added; nothing
is written here.
"""

from uuid import UUID

from zone.core.ids import public_id_of, uuid7
from zone.history.models import Charge, ChargeLine, Refund, RejectedMessage, UnlinkedMessage
from zone.history.services.ingest import subscribing
from zone.history.services.ingest.known import Incoming, KeyFacts, Known
from zone.history.services.ingest.plan import (
    UNLINKED_KEPT,
    Outcome,
    Plan,
    Verdict,
    charge_key,
    event_key,
    refund_key,
    rejection,
)
from zone.history.services.ingest.reading import (
    REFUND,
    Bill,
    RefundNews,
    SubscriptionNews,
    body_hash,
    masked,
)


def decide(item: Incoming, known: Known, plan: Plan) -> Verdict:
    """The outcome of one legal message; `known` and `plan` move on with it."""
    if isinstance(item.news, Bill):
        return _decide_bill(item, item.news, known, plan)
    if isinstance(item.news, RefundNews):
        return _decide_refund(item, item.news, known, plan)
    return _decide_subscription(item, item.news, known, plan)


def _decide_bill(item: Incoming, news: Bill, known: Known, plan: Plan) -> Verdict:
    name = (item.wallet_code, news.bill_no)
    facts = KeyFacts(item.user_index, news.occurred_at, None, news.amount)
    if item.unlinked_id is None and (first := known.charges.get(name)):
        return _repeat(item, first, facts, plan)
    member_id = known.members.get((item.wallet_code, item.user_index))
    if member_id is None:
        known.charges[name] = facts
        plan.charge_keys.append(charge_key(item, news, None))
        return _unlinked(item, plan)
    charge = _charge(item, news, member_id, plan)
    facts.row_id = charge.id
    if item.unlinked_id is None:
        plan.charge_keys.append(charge_key(item, news, charge.id))
    else:
        plan.linked_charges.append((*name, charge.id))
        plan.done_unlinked.append(item.unlinked_id)
    known.charges[name] = facts
    known.room[charge.id] = charge.amount
    # Refunds that came first are applied now, oldest first, as far as they fit.
    for refund in sorted(known.parked.pop(name, []), key=lambda parked: parked.id):
        _apply(refund, charge.id, known, plan, is_same_user=refund.member_id == member_id)
        if refund not in plan.refunds:
            plan.unparked.append(refund)
    return Verdict(Outcome.STORED, public_id=charge.public_id)


def _charge(item: Incoming, news: Bill, member_id: int, plan: Plan) -> Charge:
    is_sound = not news.lines or sum(line.amount for line in news.lines) == news.amount
    counted = news.lines if is_sound else ()
    charge = Charge(
        id=uuid7(news.occurred_at),
        wallet_id=item.wallet_code,
        member_id=member_id,
        bill_no=news.bill_no,
        order_no=news.order_no,
        merchant_reference=news.merchant_reference,
        merchant_name=news.merchant_name,
        amount=news.amount,
        currency=news.currency,
        subscription_amount=sum(line.amount for line in counted if line.is_recurring),
        app_amount=sum(line.amount for line in counted if not line.is_recurring),
        has_sound_lines=is_sound,
        paid_at=news.occurred_at,
        status=Charge.Status.SUCCEEDED,
        created_at=plan.now,
    )
    plan.charges[charge.id] = charge
    plan.lines.extend(
        ChargeLine(
            charge_id=charge.id,
            line_no=line.line_no,
            service=line.service,
            title=line.title,
            amount=line.amount,
            is_recurring=line.is_recurring,
            subscription_reference=line.subscription_reference,
        )
        for line in news.lines
    )
    return charge


def _decide_refund(item: Incoming, news: RefundNews, known: Known, plan: Plan) -> Verdict:
    name = (item.wallet_code, news.bill_no)
    facts = KeyFacts(item.user_index, news.occurred_at, None, news.amount)
    charge = known.charges.get(name)
    if item.unlinked_id is None:
        if first := known.refunds.get((*name, news.refund_reference)):
            return _repeat(item, first, facts, plan)
        if charge and charge.user_index != item.user_index:
            return _inconsistent(item, plan, "the charge belongs to another user")
        if charge and known.refunded[name] + news.amount > charge.amount:
            return _inconsistent(item, plan, "the refunds would exceed the charge")
        known.refunded[name] += news.amount
    member_id = known.members.get((item.wallet_code, item.user_index))
    if member_id is None:
        known.refunds[*name, news.refund_reference] = facts
        plan.refund_keys.append(refund_key(item, news, None))
        return _unlinked(item, plan)
    refund = Refund(
        id=uuid7(news.occurred_at),
        wallet_id=item.wallet_code,
        member_id=member_id,
        bill_no=news.bill_no,
        refund_no=news.refund_no,
        amount=news.amount,
        currency=news.currency,
        refunded_at=news.occurred_at,
        state=Refund.State.PARKED,
        created_at=plan.now,
    )
    facts.row_id = refund.id
    known.refunds[*name, news.refund_reference] = facts
    plan.refunds.append(refund)
    if item.unlinked_id is None:
        plan.refund_keys.append(refund_key(item, news, refund.id))
    else:
        plan.linked_refunds.append((*name, news.refund_reference, refund.id))
        plan.done_unlinked.append(item.unlinked_id)
    if charge and charge.row_id:
        is_same_user = charge.user_index == item.user_index
        _apply(refund, charge.row_id, known, plan, is_same_user=is_same_user)
    else:
        known.parked[name].append(refund)
    return Verdict(Outcome.STORED, public_id=refund.public_id)


def _apply(
    refund: Refund, charge_id: UUID, known: Known, plan: Plan, *, is_same_user: bool
) -> None:
    """The refund belongs to the charge from now on, or is refused because it does not fit."""
    if not is_same_user or refund.amount > known.room[charge_id]:
        refund.state = Refund.State.REFUSED
        name = RefundNews(
            "", refund.bill_no, refund.amount, "", refund.refunded_at, refund.refund_no
        ).refund_reference
        plan.uncounted.append((refund.wallet_id, refund.bill_no, name))
        plan.rejected.append(_refused_refund(refund, plan, is_same_user=is_same_user))
        return
    refund.state = Refund.State.APPLIED
    refund.charge_id = charge_id
    known.room[charge_id] -= refund.amount
    if charge := plan.charges.get(charge_id):
        charge.refunded += refund.amount
    else:
        plan.refunded[charge_id] += refund.amount


def _refused_refund(refund: Refund, plan: Plan, *, is_same_user: bool) -> RejectedMessage:
    body = {
        "relateBillNo": refund.bill_no,
        "refundOutBillNo": refund.refund_no,
        "refundAmount": {"currency": refund.currency, "value": str(refund.amount)},
        "refundTime": refund.refunded_at.isoformat(),
    }
    return RejectedMessage(
        wallet_id=refund.wallet_id,
        path=REFUND,
        outcome=RejectedMessage.Outcome.INCONSISTENT,
        reason="came before its charge and exceeds it"
        if is_same_user
        else "came before its charge, which belongs to another user",
        reference=f"{refund.bill_no} {refund.public_id}",
        body=body,
        body_hash=body_hash(body),
        received_at=plan.now,
    )


def _decide_subscription(
    item: Incoming, news: SubscriptionNews, known: Known, plan: Plan
) -> Verdict:
    event_name = (item.wallet_code, news.event_reference)
    facts = KeyFacts(item.user_index, news.occurred_at, None, fingerprint=news.fingerprint)
    if item.unlinked_id is None and (first := known.events.get(event_name)):
        return _repeat(item, first, facts, plan)
    member_id = known.members.get((item.wallet_code, item.user_index))
    subscription = known.subscriptions.get((item.wallet_code, news.subscription_reference))
    if subscription and subscription.member_id != member_id:
        if item.unlinked_id is not None:
            plan.done_unlinked.append(item.unlinked_id)
        return _inconsistent(item, plan, "the subscription belongs to another user")
    if member_id is None:
        known.events[event_name] = facts
        plan.event_keys.append(event_key(item, news, None))
        return _unlinked(item, plan)
    if subscription is None:
        subscription = subscribing.new_subscription(item, news, member_id, plan.now)
        known.subscriptions[item.wallet_code, news.subscription_reference] = subscription
        plan.new_subscriptions[subscription.id] = subscription
    else:
        price_before = subscription.price
        is_changed = subscribing.follow(subscription, news)
        if subscription.price > price_before:
            plan.price_rises.append((subscription, price_before, news.price, news.occurred_at))
        if is_changed and subscription.id not in plan.new_subscriptions:
            plan.changed_subscriptions[subscription.id] = subscription
    event = subscribing.new_event(subscription, news, plan.now)
    plan.events.append(event)
    facts.row_id = event.id
    known.events[event_name] = facts
    if item.unlinked_id is None:
        plan.event_keys.append(event_key(item, news, event.id))
    else:
        plan.linked_events.append((*event_name, event.id))
        plan.done_unlinked.append(item.unlinked_id)
    return Verdict(Outcome.STORED, public_id=subscription.public_id)


def _repeat(item: Incoming, first: KeyFacts, facts: KeyFacts, plan: Plan) -> Verdict:
    """The same key again: harmless when it says the same, refused when it does not."""
    if first.user_index != facts.user_index:
        return _inconsistent(item, plan, "the same number for another user")
    if first.amount != facts.amount:
        return _inconsistent(item, plan, "the same number with another amount")
    if first.occurred_at != facts.occurred_at:
        return _inconsistent(item, plan, "the same number at another time")
    if first.fingerprint != facts.fingerprint:
        return _inconsistent(item, plan, "the same number with other facts")
    row_id = first.row_id
    # A subscription's event has no public id of its own.
    is_transaction = row_id and not isinstance(item.news, SubscriptionNews)
    return Verdict(
        Outcome.DUPLICATE,
        public_id=public_id_of("txn", row_id) if is_transaction and row_id else "",
    )


def _inconsistent(item: Incoming, plan: Plan, reason: str) -> Verdict:
    plan.rejected.append(
        rejection(
            wallet_code=item.wallet_code,
            path=item.path,
            body=item.body,
            outcome=RejectedMessage.Outcome.INCONSISTENT,
            reason=reason,
            reference=item.news.reference,
            now=plan.now,
        )
    )
    return Verdict(Outcome.INCONSISTENT, reason=reason)


def _unlinked(item: Incoming, plan: Plan) -> Verdict:
    plan.unlinked.append(
        UnlinkedMessage(
            wallet_id=item.wallet_code,
            user_index=item.user_index,
            path=item.path,
            reference=item.news.reference,
            body=masked(item.body),
            received_at=plan.now,
            expires_at=plan.now + UNLINKED_KEPT,
        )
    )
    return Verdict(Outcome.UNLINKED)
