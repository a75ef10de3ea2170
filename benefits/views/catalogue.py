"""The catalogue and one benefit. Open to everyone: looking around needs no sign-in."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from benefits import queries
from benefits.forms import CatalogueForm
from benefits.group_queries import offers_group
from benefits.models import Benefit, Wish
from benefits.views.offer import available_credits, claim_context, words_language
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.core.http import private, wants_partial
from zone.members.access import open_to_all

PAGE_SIZE = 12
_SIMILAR_MAX = 3
_AT_REST = {"q": "", "show": "all", "hue": "", "page": 1}
_IS_FREE = {"all": None, "free": True, "credits": False}


@open_to_all
@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    """What there is, by the filters in the address; htmx asks for the results alone."""
    filters = CatalogueForm(request.GET).filters()
    now = database_now()
    member = request.member  # type: ignore[attr-defined]
    cards = queries.list_cards(
        member=member,
        available=available_credits(member),
        now=now,
        language=words_language(member),
        hue=filters["hue"],
        search=filters["q"],
        is_free=_IS_FREE[filters["show"]],
    )
    start = (filters["page"] - 1) * PAGE_SIZE
    has_more = len(cards) > start + PAGE_SIZE
    context = {
        "tab": "benefits",
        "cards": cards[start : start + PAGE_SIZE],
        "is_filtered": not _is_at_rest(filters | {"page": 1}),
        "bundles": queries.list_bundles(member=member, now=now) if _is_at_rest(filters) else [],
        "next_address": _address(filters, page=filters["page"] + 1) if has_more else "",
        "filters": filters,
        "segments": [
            (value, label, _address(filters, show=value, page=1), value == filters["show"])
            for value, label in CatalogueForm.SEGMENTS
        ],
        "hues": [
            (hue, _address(filters, hue="" if hue == filters["hue"] else hue, page=1))
            for hue in Benefit.Hue.values
        ],
    }
    target = request.headers.get("HX-Target")
    template = "benefits/catalogue.html"
    if wants_partial(request):
        template = "benefits/_cards.html" if target == "more" else "benefits/_results.html"
    return private(render(request, template, context))


def _is_at_rest(filters: dict[str, Any]) -> bool:
    return filters == _AT_REST


def _address(filters: dict[str, Any], **changes: Any) -> str:
    """The catalogue with these filters, leaving out those at rest so that addresses stay short."""
    asked = {
        name: value for name, value in {**filters, **changes}.items() if value != _AT_REST[name]
    }
    address = reverse("benefits:catalogue")
    return f"{address}?{urlencode(asked)}" if asked else address


@open_to_all
@require_GET
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One benefit with everything a member needs to decide, and the sheet that confirms."""
    member = request.member  # type: ignore[attr-defined]
    available = available_credits(member)
    now = database_now()
    language = words_language(member)
    try:
        card = queries.get_card(
            slug=slug, member=member, available=available, now=now, language=language
        )
    except NotFound as error:
        raise Http404 from error
    others = queries.list_cards(member=member, available=available, now=now, language=language)
    similar = [other for other in others if other.benefit.pk != card.benefit.pk]
    similar.sort(
        key=lambda other: (other.state != "claimable", other.benefit.hue != card.benefit.hue)
    )
    context = {
        **claim_context(card, available=available),
        "tab": "benefits",
        "now": now,
        "similar": similar[:_SIMILAR_MAX],
        "bundles": queries.list_bundles_of(card.benefit),
        "can_share_price": member is not None and offers_group(card),
        "is_wished": member is not None
        and card.is_wishable
        and Wish.objects.filter(
            member=member, benefit=card.benefit, state=Wish.State.OPEN
        ).exists(),
    }
    return private(render(request, "benefits/detail.html", context))
