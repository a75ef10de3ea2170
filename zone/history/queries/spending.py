"""How much a member paid Apple, month by month."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.db.models.functions import TruncMonth

from zone.history.models import Charge, Refund
from zone.history.queries.activity import first_id, month_start, next_month, shift_month
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class MonthSpending:
    """`paid` is what was charged in the month; refunds count in the month they came back."""

    month: date
    paid: int = 0
    subscriptions: int = 0
    apps: int = 0
    refunded: int = 0

    @property
    def other(self) -> int:
        """What the wallet did not explain."""
        return self.paid - self.subscriptions - self.apps


def list_spending(member: Member, last: date, count: int = 6) -> list[MonthSpending]:
    """`count` months up to and including `last`, oldest first, empty ones too. Two queries."""
    zone = ZoneInfo(member.time_zone)
    first = shift_month(last, 1 - count)
    span = {
        "member": member,
        "id__gte": first_id(month_start(first, zone)),
        "id__lt": first_id(month_start(next_month(last), zone)),
    }
    paid = {
        _month_of(row["month"]): row
        for row in Charge.objects.filter(**span, status=Charge.Status.SUCCEEDED)
        .annotate(month=TruncMonth("paid_at", tzinfo=zone))
        .values("month")
        .annotate(
            paid=Sum("amount"), subscriptions=Sum("subscription_amount"), apps=Sum("app_amount")
        )
    }
    refunded = {
        _month_of(row["month"]): row["sum"]
        for row in Refund.objects.filter(**span, state=Refund.State.APPLIED)
        .annotate(month=TruncMonth("refunded_at", tzinfo=zone))
        .values("month")
        .annotate(sum=Sum("amount"))
    }
    months = [shift_month(first, step) for step in range(count)]
    return [
        MonthSpending(
            month=month,
            paid=paid[month]["paid"] if month in paid else 0,
            subscriptions=paid[month]["subscriptions"] if month in paid else 0,
            apps=paid[month]["apps"] if month in paid else 0,
            refunded=refunded.get(month, 0),
        )
        for month in months
    ]


def _month_of(moment: datetime) -> date:
    return date(moment.year, moment.month, 1)
