"""Claiming a benefit: a page that asks once more, and the one POST that does it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from benefits import queries
from benefits.errors import NotEnoughCredits, SoldOut
from benefits.forms import ClaimForm
from benefits.models import Claim, Release
from benefits.models.release import Fulfilment
from benefits.queries import Card
from benefits.services.claims import claim_benefit
from benefits.views.mine import open_code, result_context
from benefits.views.offer import available_credits, claim_context
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private, wants_partial
from zone.members.models import Member

_SIMILAR_MAX = 3


@require_http_methods(["GET", "POST"])
def claim(request: HttpRequest, slug: str) -> HttpResponse:
    """GET asks once more, as the sheet on the benefit's page does. POST claims.

    A plain form is answered with a redirect to the claim, htmx with a panel. A refusal is a
    sentence with the next good step; nothing has changed then.
    """
    member: Member = request.member  # type: ignore[attr-defined]
    if request.method == "GET":
        card = _card(member, slug)
        context = {**claim_context(card, available=available_credits(member)), "tab": "benefits"}
        return private(render(request, "benefits/confirm.html", context))
    form = ClaimForm(request.POST)
    if not form.is_valid():
        reasons = form.errors.get("op_id") or [_("We could not read that form.")]
        return _refuse(request, member, slug, str(reasons[0]))
    try:
        made = _claim(member, slug, form)
    except ZoneError as refusal:
        return _refuse(request, member, slug, str(refusal), refusal)
    if not wants_partial(request):
        return private(redirect("benefits:claim_page", made.public_id))
    context = result_context(made)
    if made.mode == Fulfilment.CODES and context["state"] == Claim.State.GRANTED:
        # Whoever claims a code means to see it: the panel shows what was just granted.
        context |= open_code(request, made)
    return private(render(request, "benefits/_result.html", context))


def _claim(member: Member, slug: str, form: ClaimForm) -> Claim:
    op_id = form.cleaned_data["op_id"]
    if first := queries.find_claim(member=member, op_id=op_id):
        return first
    release = (
        Release.objects.filter(public_id=form.cleaned_data["release"], benefit__slug=slug)
        .select_related("benefit")
        .first()
    )
    if release is None:
        raise NotFound()
    return claim_benefit(
        member=member,
        release=release,
        op_id=op_id,
        now=database_now(),
        actor=f"member:{member.public_id}",
        price=form.cleaned_data["price"],
    )


def _card(member: Member, slug: str) -> Card:
    try:
        return queries.get_card(
            slug=slug,
            member=member,
            available=available_credits(member),
            now=database_now(),
            language=get_language() or "en",
        )
    except NotFound as error:
        raise Http404 from error


def _refuse(
    request: HttpRequest, member: Member, slug: str, sentence: str, refusal: ZoneError | None = None
) -> HttpResponse:
    """Say why not, with the card as it is now and, when it is all gone, what is like it."""
    card = _card(member, slug)
    similar: list[Card] = []
    if isinstance(refusal, SoldOut):
        cards = queries.list_cards(
            member=member,
            available=available_credits(member),
            now=database_now(),
            language=get_language() or "en",
        )
        similar = [
            other
            for other in cards
            if other.state == "claimable" and other.benefit.pk != card.benefit.pk
        ]
    context = {
        "tab": "benefits",
        "card": card,
        "sentence": sentence,
        "needs_binding": getattr(refusal, "next_step", "") == "bind",
        "needs_credits": isinstance(refusal, NotEnoughCredits),
        "is_retryable": refusal is None or refusal.is_retryable,
        "similar": similar[:_SIMILAR_MAX],
    }
    if wants_partial(request):
        return private(render(request, "benefits/_refused.html", context))
    return private(render(request, "benefits/refused.html", context, status=409))
