"""A fair draw: its page, the one button on it, its proof and the program that checks it."""

from pathlib import Path

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from benefits import verify_drop
from benefits.models import FairDraw
from benefits.queries.draws import get_draw, prove_draw, view_draw
from benefits.services.draws import enter_draw
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private
from zone.members.access import open_to_all


@open_to_all
@require_safe
def draw_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """What is given out, how many entered, the chances, the commitment, and one's own entry."""
    draw = _draw(public_id)
    now = database_now()
    seen = view_draw(draw, member=request.member, now=now)  # type: ignore[attr-defined]
    context = {
        "tab": "benefits",
        "view": seen,
        "draw": draw,
        "benefit": draw.release.benefit,
        "text": draw.release.benefit.text(),
    }
    return private(render(request, "benefits/draw.html", context))


@require_POST
def enter(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take part, once. A refusal is a sentence and changes nothing."""
    draw = _draw(public_id)
    try:
        enter_draw(member=request.member, draw=draw, now=database_now())  # type: ignore[attr-defined]
    except ZoneError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("You are in the draw."))
    return private(redirect("benefits:draw", public_id))


@open_to_all
@require_safe
def proof(request: HttpRequest, public_id: str) -> HttpResponse:
    """Everything that is public by now, for `verify_drop.py`."""
    answer = private(JsonResponse(prove_draw(_draw(public_id))))
    answer["Content-Disposition"] = f'attachment; filename="{public_id}.json"'
    return answer


@open_to_all
@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """The program that checks a proof, to keep and to read."""
    source = Path(verify_drop.__file__).read_bytes()
    answer = HttpResponse(source, content_type="text/x-python; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="verify_drop.py"'
    return answer


def _draw(public_id: str) -> FairDraw:
    try:
        return get_draw(public_id)
    except NotFound as error:
        raise Http404 from error
