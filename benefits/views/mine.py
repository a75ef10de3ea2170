"""What a member holds: the list, one claim as a voucher, and showing its code."""

from datetime import datetime
from typing import Any, get_args

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from benefits import gift_queries, queries, trial_queries
from benefits.models import Claim, Trial
from benefits.queries import Segment
from benefits.queries.draws import find_entry_of
from benefits.services.code_reports import can_report
from benefits.services.rescues import is_near_end
from benefits.services.returns import find_return_offer
from benefits.services.reveal import reveal_claim
from benefits.views.offer import words_language
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private, wants_partial
from zone.members.models import Member

# How long a member is asked to watch; after that the page says it is safe to leave.
_SLOW_SECONDS = 5


@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """My benefits: available, used, ended, with their numbers."""
    member: Member = request.member  # type: ignore[attr-defined]
    asked = request.GET.get("show", "available")
    segment: Segment = asked if asked in get_args(Segment) else "available"  # type: ignore[assignment]
    now = database_now()
    before = request.GET.get("before", "")
    claims = queries.list_claims(
        member=member,
        segment=segment,
        now=now,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
    )
    context = {
        "tab": "mine",
        "segment": segment,
        "claims": [(claim, claim.state_at(now)) for claim in claims],
        "counts": queries.count_claims(member=member, now=now),
        "next_before": claims[-1].pk
        if segment != "available" and len(claims) == queries.PAGE_ROWS_MAX
        else None,
        "now": now,
    }
    return private(render(request, "benefits/mine.html", context))


@require_GET
def claim_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """One claim. Its code stays covered until the member asks for it."""
    claim = own_claim(request, public_id)
    context = result_context(claim)
    context |= terms_context(claim)
    context["gift"] = gift_queries.find_open_gift(claim)
    context["came_as"] = gift_queries.find_gift_received(claim)
    context["trial"] = trial_queries.find_trial(claim)
    context["is_reportable"] = can_report(claim, now=context["now"])
    context["leads"] = Trial.LEAD_DAYS
    context["is_giftable"] = gift_queries.is_giftable(claim, now=context["now"])
    return private(render(request, "benefits/claim.html", context))


@require_GET
def status(request: HttpRequest, public_id: str) -> HttpResponse:
    """The panel that watches a claim being prepared; as a page, the claim's own page."""
    claim = own_claim(request, public_id)
    if not wants_partial(request):
        return private(redirect("benefits:claim_page", claim.public_id))
    return private(render(request, "benefits/_result.html", result_context(claim)))


@require_POST
def reveal(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show the code, in the page or in the panel. The first showing is recorded."""
    claim = own_claim(request, public_id)
    context = result_context(claim) | terms_context(claim) | open_code(request, claim)
    context["is_reportable"] = can_report(claim, now=context["now"])
    template = "benefits/_code.html" if wants_partial(request) else "benefits/claim.html"
    return private(render(request, template, context))


def open_code(request: HttpRequest, claim: Claim) -> dict[str, Any]:
    """The code in clear, or the sentence saying why it cannot be shown."""
    actor = f"member:{request.member.public_id}"  # type: ignore[attr-defined]
    try:
        return {"revealed": reveal_claim(claim=claim, now=database_now(), actor=actor)}
    except ZoneError as refusal:
        return {"refusal": str(refusal)}


def result_context(claim: Claim, *, now: datetime | None = None) -> dict[str, Any]:
    """A claim as its page and its panels show it; `now` when it was read a moment ago."""
    now = now or database_now()
    language = words_language(claim.member)
    text = claim.benefit.text(language)
    return {
        "tab": "mine",
        "claim": claim,
        "state": claim.state_at(now),
        "text": text,
        "now": now,
        "entry": find_entry_of(claim),
        "return_offer": find_return_offer(claim, now=now),
        "is_near_end": is_near_end(claim, now=now),
        "is_slow": (now - claim.created_at).total_seconds() > _SLOW_SECONDS,
    }


def terms_context(claim: Claim) -> dict[str, Any]:
    """The terms a claim was claimed with, and their day; the benefit's own while it has none."""
    language = words_language(claim.member)
    if claim.terms is not None:
        agreed = claim.terms.text(language)
        return {"terms": agreed["terms"], "terms_of": claim.terms.published_at}
    text = claim.benefit.text(language)
    return {"terms": text.terms if text else "", "terms_of": None}


def own_claim(request: HttpRequest, public_id: str) -> Claim:
    try:
        return queries.get_claim(member=request.member, public_id=public_id)  # type: ignore[attr-defined]
    except NotFound as error:
        raise Http404 from error
