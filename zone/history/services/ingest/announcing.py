"""What a member should hear of at once: money back, and a higher price."""

from datetime import datetime, timedelta

from zone.history.models import Charge, Refund
from zone.history.naming import product_name
from zone.history.services.ingest.plan import Plan
from zone.notices.services import write_notice

# Older news is history: an import of last year must not ring a bell for each of its refunds.
_NEWS_FOR = timedelta(days=7)


def announce(plan: Plan) -> None:
    """Write the notices of a batch, in its transaction; each is written once ever."""
    since = plan.now - _NEWS_FOR
    _announce_refunds(plan, since)
    for subscription, before, after, at in plan.price_rises:
        if at >= since and subscription.is_renewing:
            write_notice(
                member_id=subscription.member_id,
                kind="price_rise",
                facts={
                    "name": subscription.name,
                    "old_amount": before,
                    "new_amount": after,
                    "currency": subscription.currency,
                },
                link=f"/subscriptions/{subscription.public_id}",
                dedupe_key=f"price:{subscription.public_id}:{int(at.timestamp())}",
                at=plan.now,
            )


def _announce_refunds(plan: Plan, since: datetime) -> None:
    refunds = [
        refund
        for refund in (*plan.refunds, *plan.unparked)
        if refund.state == Refund.State.APPLIED and refund.refunded_at >= since
    ]
    if not refunds:
        return
    names = _names_of(refunds)
    for refund in refunds:
        write_notice(
            member_id=refund.member_id,
            kind="charge_refunded",
            facts={
                "amount": refund.amount,
                "currency": refund.currency,
                "name": names.get(refund.charge_id, ""),
            },
            link=f"/activity/{refund.public_id}",
            dedupe_key=f"refund:{refund.public_id}",
            at=plan.now,
        )


def _names_of(refunds: list[Refund]) -> dict[object, str]:
    """What each charge was for, by its first line; empty when the wallet did not say."""
    charges = Charge.objects.filter(id__in={refund.charge_id for refund in refunds})
    return {
        charge.id: next((product_name(line.service, line.title) for line in charge.lines.all()), "")
        for charge in charges.prefetch_related("lines")
    }
