"""/subscriptions: what renews when, and how to change it at Apple."""

from datetime import date
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from zone.core import clock
from zone.core.http import private
from zone.history.forms import read_key, read_month
from zone.history.queries import renewals
from zone.history.queries.activity import shift_month
from zone.members.models import Member

# 2024-01-01 was a Monday: seven dates whose names head the calendar.
_WEEK = [date(2024, 1, day) for day in range(1, 8)]


@require_GET
def subscriptions(request: HttpRequest) -> HttpResponse:
    """The month's calendar, then every subscription by its next date."""
    member: Member = request.member  # type: ignore[attr-defined]
    now = clock.now()
    this_month = now.astimezone(ZoneInfo(member.time_zone)).date().replace(day=1)
    month = read_month(request.GET.get("month")) or this_month
    found = renewals.list_subscriptions(member)
    context = {
        "month": renewals.renewal_month(member, found, month, now=now),
        "week": _WEEK,
        "earlier": shift_month(month, -1),
        "later": shift_month(month, 1),
        "running": [each for each in found if each.status in each.OPEN_STATUSES],
        "ended": [each for each in found if each.status not in each.OPEN_STATUSES],
        "yearly": renewals.yearly_totals(found),
        "rises": renewals.list_price_rises(found, now=now),
        "now": now,
        "tab": "subscriptions",
    }
    return private(render(request, "history/subscriptions.html", context))


@require_GET
def subscription(request: HttpRequest, public_id: str) -> HttpResponse:
    """One subscription: state, price, what was paid, and the way to change it at Apple."""
    member: Member = request.member  # type: ignore[attr-defined]
    key = read_key(public_id, "sub")
    found = renewals.find_subscription(member, key) if key else None
    if found is None:
        raise Http404
    context = {
        "subscription": found,
        "history": renewals.get_history(member, found),
        "now": clock.now(),
        "tab": "subscriptions",
    }
    return private(render(request, "history/subscription.html", context))
