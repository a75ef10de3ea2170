"""Today: what a member has, what is new, what ends soon, what will be charged."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from benefits.models import Claim
from benefits.queries import Card, list_cards, list_drops, list_expiring
from credits.queries import Balance, Expiring, get_balance
from credits.queries.check_ins import get_check_in
from credits.queries.tiers import get_tier
from zone.core.clock import database_now
from zone.core.http import private
from zone.history.queries import UpcomingWeek, upcoming_charges
from zone.members.access import open_to_all
from zone.members.models import Member
from zone.members.queries import has_active_binding
from zone.pages.parts import Part, load_part
from zone.pages.sparks import Bar, spark_bars

_UPCOMING_DAYS = 7
_DROPS_MAX = 4
_EXPIRING_WITHIN = timedelta(days=14)
_EXPIRING_MAX = 3
# Cards one can act on stay in front; others follow in this order.
_LAST_STATES = {"owned": 1, "paused": 2, "sold_out": 2, "ended": 3}
_URGENT = timedelta(hours=24)
_ENDING_WITHIN = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Reach:
    """What the balance can buy, and how far the next thing is."""

    count: int
    goal: Card | None
    percent: int


@open_to_all
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The member's day; for everyone else, what the Zone is and the way in.

    Each section is read on its own: one that cannot be read says so, the others stay.
    """
    if request.member is None:
        return render(request, "home/landing.html")
    member: Member = request.member
    now = database_now()
    balance = load_part("credits", lambda: get_balance(member))
    available = balance.value.available if balance.value else None
    drops = load_part("drops", lambda: _list_today(member, available, now))
    expiring = load_part(
        "expiring", lambda: list_expiring(member=member, now=now, until=now + _EXPIRING_WITHIN)
    )
    upcoming = load_part("upcoming", lambda: upcoming_charges(member, _UPCOMING_DAYS, now=now))
    context = {
        "tab": "today",
        "now": now,
        "balance": balance,
        "reach": _reach(balance, drops),
        "ending": _ending(balance, now, member),
        "drops": Part(drops.value[:_DROPS_MAX] if drops.value else [], drops.has_failed),
        "expiring": Part((expiring.value or [])[:_EXPIRING_MAX], expiring.has_failed),
        "is_urgent": _is_urgent(expiring.value or [], now),
        "upcoming": upcoming,
        "bars": _bars(upcoming.value) if upcoming.value else [],
        "check_in": load_part("check-in", lambda: get_check_in(member, now=now)),
        "tier": load_part("tier", lambda: get_tier(member)).value,
        "is_bound": load_part("binding", lambda: has_active_binding(member)).value,
    }
    return private(render(request, "home/today.html", context))


def _list_today(member: Member, available: int | None, now: datetime) -> list[Card]:
    """The daily drops first, then the catalogue in its order; what is had or over comes last."""
    language = get_language() or "en"
    drops = list_drops(member=member, available=available, now=now, language=language)
    shown = {card.benefit.pk for card in drops}
    others = list_cards(member=member, available=available, now=now, language=language)
    cards = drops + [card for card in others if card.benefit.pk not in shown]
    return sorted(cards, key=lambda card: _LAST_STATES.get(card.state, 0))


def _reach(balance: Part[Balance], cards: Part[list[Card]]) -> Reach:
    """How many priced benefits the balance buys now, and the nearest one it does not."""
    if balance.value is None or cards.value is None:
        return Reach(0, None, 0)
    available = balance.value.available
    priced = [
        card for card in cards.value if card.price_credits and card.state in {"claimable", "locked"}
    ]
    beyond = [card for card in priced if card.price_credits > available]
    goal = min(beyond, key=lambda card: card.price_credits, default=None)
    percent = 100 * max(available, 0) // goal.price_credits if goal else 100
    return Reach(sum(card.state == "claimable" for card in priced), goal, percent)


def _ending(balance: Part[Balance], now: datetime, member: Member) -> Expiring | None:
    """The credits that end first, when that is near enough to act on."""
    if balance.value is None or not balance.value.expiring:
        return None
    first = min(balance.value.expiring, key=lambda expiring: expiring.expires_on)
    today = now.astimezone(ZoneInfo(member.time_zone)).date()
    return first if first.expires_on <= today + _ENDING_WITHIN else None


def _is_urgent(claims: list[Claim], now: datetime) -> bool:
    """Something ends within a day: it is shown above the drops then."""
    return any(claim.valid_until and claim.valid_until <= now + _URGENT for claim in claims)


def _bars(week: UpcomingWeek) -> list[Bar]:
    """A bar for each day; a member of one wallet is charged in one currency."""
    return spark_bars([sum(money.value for money in day.totals) for day in week.days])
