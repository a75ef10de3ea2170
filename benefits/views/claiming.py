"""Claiming a benefit: a page that asks once more, and the one POST that does it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from benefits import queries, rules
from benefits.errors import (
    LimitReached,
    NotEnoughCredits,
    OperationReused,
    SoldOut,
    WrongWallet,
    again_at_of,
)
from benefits.forms import ClaimForm
from benefits.models import Benefit, Claim, Release
from benefits.models.release import Fulfilment
from benefits.queries import Card, CardState, Standing
from benefits.queries.standing import get_rule
from benefits.rush import Won
from benefits.sealed import OpenCode
from benefits.services.claims import make_claim
from benefits.services.reveal import Revealed, claim_and_reveal
from benefits.views.mine import open_code, result_context
from benefits.views.offer import available_credits, claim_context, words_language
from benefits.views.panels import Winning, won_panel
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private, wants_partial
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class Glance:
    """As much of a card as a refusal shows: nothing in it is asked for anew."""

    benefit: Benefit
    text: Any
    state: CardState
    owned_claim: "Owned"


@dataclass(frozen=True, slots=True)
class Owned:
    public_id: str


@require_http_methods(["GET", "POST"])
def claim(request: HttpRequest, slug: str) -> HttpResponse:
    """GET asks once more, as the sheet on the benefit's page does. POST claims.

    A plain form is answered with a redirect to the claim, htmx with a panel. A refusal is a
    sentence with the next good step; nothing has changed then. A claim costs two queries, the
    session's among them: see `tests/pages/test_claim_cost.py`.
    """
    member: Member = request.member  # type: ignore[attr-defined]
    if request.method == "GET":
        card = _card(member, slug)
        context = {**claim_context(card, available=available_credits(member)), "tab": "benefits"}
        return private(render(request, "benefits/confirm.html", context))
    asked = ClaimForm.read(request.POST)
    if asked is None:
        form = ClaimForm(request.POST)
        if not form.is_valid():
            reasons = form.errors.get("op_id") or [_("We could not read that form.")]
            return _refuse_form(request, member, slug, str(reasons[0]))
        asked = form.cleaned_data["op_id"], form.cleaned_data["price"]
    # Read together with the session, in front of everything; see `benefits/middleware.py`.
    standing: Standing | None = getattr(request, "standing", None)
    release = queries.get_release(standing) if standing else None
    if standing is None or release is None or release.benefit.slug != slug:
        return _refuse_form(request, member, slug, str(NotFound()))
    try:
        made, revealed = _claim(request, member, release, standing, *asked)
    except ZoneError as refusal:
        return refuse(request, member, release, standing, refusal)
    if not wants_partial(request):
        return private(redirect("benefits:claim_page", made.public_id))
    now = max(standing.now, made.updated_at)
    if revealed is not None:
        if release.is_hot and _asks_only_where_one_stands(release, standing):
            request.won = Won(release, standing.version, standing.rule_id)  # type: ignore[attr-defined]
        return private(HttpResponse(_won_panel(made, revealed, standing)))
    context = result_context(made, now=now)
    if (
        made.mode == Fulfilment.CODES
        and context["state"] == Claim.State.GRANTED
        and not standing.is_choice
    ):
        context |= open_code(request, made)
    return private(render(request, "benefits/_result.html", context))


def _asks_only_where_one_stands(release: Release, standing: Standing) -> bool:
    """Whether the release asks no more of a member than what `rules.MemberFacts` holds."""
    rule = get_rule(standing)
    return (
        (rule is None or not rule.tree)
        and standing.bundles is None
        and not release.benefit.only_for_stamps
    )


def _won_panel(claim: Claim, revealed: Revealed, standing: Standing) -> str:
    language = get_language() or "en"
    winning = Winning(
        public_id=claim.public_id,
        version=standing.version,
        language=language,
        words=words_language(claim.member, language),
        time_zone=claim.member.time_zone,
        price_credits=claim.price_credits,
        valid_from=claim.valid_from if claim.valid_from != claim.created_at else None,
        valid_until=claim.valid_until,
    )
    return won_panel(winning, OpenCode(revealed.code, revealed.redeem_url), lambda: claim)


def _claim(
    request: HttpRequest,
    member: Member,
    release: Release,
    standing: Standing,
    op_id: UUID,
    price: int,
) -> tuple[Claim, Revealed | None]:
    """Whoever claims a code in the sheet means to see it: it is shown as it is granted."""
    how: dict[str, Any] = {
        "member": member,
        "release": release,
        "standing": standing,
        "op_id": op_id,
        "now": standing.now,
        "actor": f"member:{member.public_id}",
        "price": price,
    }
    if wants_partial(request):
        return claim_and_reveal(**how)
    return make_claim(**how).claim, None


def _card(member: Member, slug: str) -> Card:
    try:
        return queries.get_card(
            slug=slug,
            member=member,
            available=available_credits(member),
            now=database_now(),
            language=words_language(member),
        )
    except NotFound as error:
        raise Http404 from error


def _refuse_form(request: HttpRequest, member: Member, slug: str, sentence: str) -> HttpResponse:
    """A form that is not ours, or not of today: nothing in it is trusted but the address."""
    return _say(request, {"card": _card(member, slug), "sentence": sentence, "is_retryable": True})


def refuse(
    request: HttpRequest,
    member: Member,
    release: Release,
    standing: Standing,
    refusal: ZoneError,
) -> HttpResponse:
    """Say why not, and what else there is when it is all gone. Asks nothing about the member."""
    if isinstance(refusal, NotFound | WrongWallet):
        raise Http404
    status = refusal.http_status if isinstance(refusal, OperationReused) else 409
    context = refusal_context(member, release, standing, refusal)
    return _say(request, context, status=status)


def refusal_context(
    member: Member,
    release: Release,
    standing: Standing,
    refusal: ZoneError,
    *,
    held_id: str = "",
) -> dict[str, Any]:
    """What the panel of a refusal shows, from what is known already."""
    held_id = held_id or standing.held_id or ""
    language = words_language(member)
    state: CardState = "locked"
    similar: list[Card] = []
    if isinstance(refusal, SoldOut):
        state = "sold_out"
        similar = queries.list_similar(
            release=release,
            version=standing.version,
            facts=rules.facts_with(member, standing.binding, now=standing.now),
            language=language,
            now=standing.now,
        )
    elif isinstance(refusal, LimitReached) and held_id:
        state = "owned"
    return {
        "card": Glance(
            release.benefit,
            release.benefit.text(language),
            state,
            Owned(held_id),
        ),
        "sentence": str(refusal),
        "again_at": again_at_of(refusal),
        "needs_binding": getattr(refusal, "next_step", "") == "bind",
        "needs_credits": isinstance(refusal, NotEnoughCredits),
        "is_retryable": refusal.is_retryable,
        "similar": similar,
    }


def _say(request: HttpRequest, context: dict[str, Any], *, status: int = 409) -> HttpResponse:
    context["tab"] = "benefits"
    if wants_partial(request):
        return private(render(request, "benefits/_refused.html", context))
    return private(render(request, "benefits/refused.html", context, status=status))
