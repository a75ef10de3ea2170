"""Claiming a mission's reward: one POST, answered with the list or a redirect."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from credits.queries import get_balance
from credits.queries.missions import list_missions
from credits.services.missions import claim_mission
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private, wants_partial
from zone.members.models import Member


@require_POST
def claim(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the reward once; a refusal is a sentence and changes nothing."""
    member: Member = request.member  # type: ignore[attr-defined]
    try:
        reward = claim_mission(member=member, slug=slug)
    except NotFound as error:
        raise Http404 from error
    except ZoneError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Well done, +%(credits)s credits.") % {"credits": reward})
    if not wants_partial(request):
        return private(redirect("credits:credits"))
    context = {
        "missions": list_missions(member, now=database_now()),
        "balance": get_balance(member),
        "is_swap": True,
    }
    return private(render(request, "credits/_missions_claimed.html", context))
