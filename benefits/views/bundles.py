"""Bundles: what is in one, everything of it at once, and another choice instead."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from benefits import queries
from benefits.forms import ChangeForm, OperationForm
from benefits.models import Bundle, Release
from benefits.services.bundles import change_choice, claim_bundle, is_changeable
from benefits.views.mine import own_claim
from benefits.views.offer import available_credits, words_language
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private
from zone.core.ids import uuid7
from zone.members.access import open_to_all


@open_to_all
@require_GET
def bundle_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What is in a bundle, what of it is the member's, and what they can still do."""
    return _page(request, slug)


def _page(request: HttpRequest, slug: str, *, refusal: str = "") -> HttpResponse:
    member = request.member  # type: ignore[attr-defined]
    now = database_now()
    available = available_credits(member)
    try:
        read = queries.read_bundle(
            bundle=queries.get_bundle(slug=slug),
            member=member,
            available=available,
            now=now,
            language=words_language(member),
        )
    except NotFound as error:
        raise Http404 from error
    changeable = [claim for claim in read.chosen if is_changeable(claim, now=now)]
    # Only where it is plain which one would go: with several chosen, each page of them says so.
    instead_of = changeable[0] if len(changeable) == 1 == len(read.chosen) else None
    context = {
        "tab": "benefits",
        "bundle": read.bundle,
        "read": read,
        "instead_of": instead_of,
        "available": available,
        "op_id": uuid7(),
        "rows": [(card, read.least_spent[card.benefit.pk], uuid7()) for card in read.cards],
        "refusal": refusal,
    }
    status = 409 if refusal else 200
    return private(render(request, "benefits/bundle.html", context, status=status))


@require_POST
def claim_all(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything of a bundle at once. A refusal is a sentence, and nothing was taken."""
    form = OperationForm(request.POST)
    try:
        bundle = queries.get_bundle(slug=slug)
        if not form.is_valid():
            return _page(request, slug, refusal=_form_fault(form))
        made = claim_bundle(
            member=request.member,  # type: ignore[attr-defined]
            bundle=bundle,
            op_id=form.cleaned_data["op_id"],
            now=database_now(),
            price=form.cleaned_data["price"],
        )
    except NotFound as error:
        raise Http404 from error
    except ZoneError as refusal:
        return _page(request, slug, refusal=str(refusal))
    messages.success(request, _("All yours: %(count)s benefits.") % {"count": len(made)})
    return private(redirect("benefits:mine"))


@require_POST
def change(request: HttpRequest, slug: str) -> HttpResponse:
    """Another benefit of the choice instead. A refusal is a sentence, and the first one stays."""
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _page(request, slug, refusal=_form_fault(form))
    claim = own_claim(request, form.cleaned_data["claim"])
    release = (
        Release.objects.filter(
            public_id=form.cleaned_data["release"], benefit__bundle_items__bundle__slug=slug
        )
        .select_related("benefit")
        .first()
    )
    if release is None or not Bundle.objects.filter(slug=slug, is_active=True).exists():
        raise Http404
    try:
        made = change_choice(
            claim=claim,
            release=release,
            op_id=form.cleaned_data["op_id"],
            now=database_now(),
            price=form.cleaned_data["price"],
        )
    except NotFound as error:
        raise Http404 from error
    except ZoneError as refusal:
        return _page(request, slug, refusal=str(refusal))
    messages.success(request, _("Changed. The first one went back whole."))
    return private(redirect("benefits:claim_page", made.public_id))


def _form_fault(form: OperationForm) -> str:
    reasons = form.errors.get("op_id") or [_("We could not read that form.")]
    return str(reasons[0])
