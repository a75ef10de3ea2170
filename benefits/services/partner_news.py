"""Telling partners of a benefit that they may grant, as the API shows it."""

from datetime import datetime

from benefits.benefit_shapes import present_benefits, with_shown_status
from benefits.models import Benefit
from zone.partners.models import Partner
from zone.partners.services import events


def tell_partners(benefit: Benefit, *, what: str, now: datetime) -> None:
    """The event `benefit.<what>` for each partner it is assigned to. Must run inside a transaction.

    Nothing is said of a benefit that the API does not show them.
    """
    partners = list(Partner.objects.filter(pk__in=benefit.partner_ids).values_list("pk", flat=True))
    seen = Benefit.objects.filter(
        pk=benefit.pk, status__in=[*Benefit.SHOWN_STATUSES, Benefit.Status.ENDED]
    )
    shown = with_shown_status(seen, now=now).first() if partners else None
    if shown is None:
        return
    [data] = present_benefits([shown], now=now)
    for partner_id in sorted(partners):
        events.record_event(
            partner_id=partner_id,
            livemode=benefit.livemode,
            type=f"benefit.{what}",
            data=data,
            at=now,
        )
