"""What a member should hear of at once: money back, a higher price, a payment that failed."""

from datetime import timedelta

from zone.history.models import Charge, Refund
from zone.history.naming import product_name
from zone.history.services.ingest.plan import Plan
from zone.notices.services import write_notice

# Older news is history: an import of last year must not ring a bell for each of its refunds.
_NEWS_FOR = timedelta(days=7)


def announce(plan: Plan) -> None:
    """Write the notices of a batch, in its transaction; each is written once ever."""
    since = plan.now - _NEWS_FOR
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
