"""A benefit that is about to lapse: everything its owner can do about it, on one page."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from benefits import gift_queries
from benefits.models import Claim
from benefits.services.rescues import find_rescue_offer, pass_on_claim, snooze_claim
from benefits.views.mine import own_claim, result_context
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.http import private

_VERBS: dict[str, Callable[..., Claim]] = {"snooze": snooze_claim, "pass_on": pass_on_claim}


@require_http_methods(["GET", "POST"])
def rescue(request: HttpRequest, public_id: str) -> HttpResponse:
    """GET says what can be done; POST does the one that was pressed, or says why not."""
    claim = own_claim(request, public_id)
    refusal = ""
    if request.method == "POST":
        verb = _VERBS.get(request.POST.get("do", ""))
        if verb is None:
            raise Http404
        actor = f"member:{request.member.public_id}"  # type: ignore[attr-defined]
        try:
            done = verb(claim=claim, now=database_now(), actor=actor)
        except ZoneError as error:
            refusal = str(error)
            claim = own_claim(request, public_id)
        else:
            messages.success(request, _said(done))
            return private(redirect("benefits:claim_page", public_id))
    context = result_context(claim)
    context |= {
        "refusal": refusal,
        "offer": find_rescue_offer(claim, now=context["now"]),
        "is_giftable": gift_queries.is_giftable(claim, now=context["now"]),
    }
    status = 409 if refusal else 200
    return private(render(request, "benefits/rescue.html", context, status=status))


def _said(claim: Claim) -> str:
    if claim.state == Claim.State.RETURNED:
        return _("It goes to the next in line. Thank you.")
    return _("You have more time for it now.")
