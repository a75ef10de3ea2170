"""What became of a trial: the subscription it turned into, and its first payment."""

from datetime import datetime, timedelta

from zone.history.models import Charge, ChargeLine, Subscription
from zone.history.queries.activity import first_id
from zone.members.models import Member

# A wallet may tell of a subscription that began a little before the trial was opened here.
_EARLIER = timedelta(days=1)


def find_trial_subscription(
    member: Member, *, service: str, since: datetime
) -> Subscription | None:
    """The member's newest subscription of `service` that was first seen since about `since`."""
    return (
        Subscription.objects.filter(
            member=member, service=service, started_at__gte=since - _EARLIER
        )
        .order_by("-started_at")
        .first()
    )


def find_first_payment(
    member: Member, *, service: str, since: datetime
) -> tuple[Charge, int] | None:
    """The first successful payment for `service` after `since`, and how much of it was for that."""
    line = (
        ChargeLine.objects.filter(
            charge_id__gte=first_id(since),
            charge__member=member,
            charge__status=Charge.Status.SUCCEEDED,
            charge__paid_at__gt=since,
            service=service,
            amount__gt=0,
        )
        .select_related("charge")
        .order_by("charge_id", "line_no")
        .first()
    )
    return (line.charge, line.amount) if line is not None else None
