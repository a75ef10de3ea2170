"""Today: what a member has, what is new, what ends soon, what will be charged."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from zone.core import clock
from zone.core.http import private
from zone.history.queries import UpcomingWeek, upcoming_charges
from zone.members.access import open_to_all
from zone.members.models import Member
from zone.pages.parts import load_part
from zone.pages.sparks import Bar, spark_bars

_UPCOMING_DAYS = 7


@open_to_all
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The member's day; for everyone else, what the Zone is and the way in."""
    if request.member is None:
        return render(request, "home/landing.html")
    member: Member = request.member
    now = clock.now()
    upcoming = load_part("upcoming", lambda: upcoming_charges(member, days=_UPCOMING_DAYS, now=now))
    context = {
        "tab": "today",
        "now": now,
        "upcoming": upcoming,
        "bars": _bars(upcoming.value) if upcoming.value else [],
    }
    return private(render(request, "home/today.html", context))


def _bars(week: UpcomingWeek) -> list[Bar]:
    """Seven bars of one currency; a member of one wallet is charged in one."""
    return spark_bars([sum(money.value for money in day.totals) for day in week.days])
