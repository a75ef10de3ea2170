"""The member's stamp boards: fields, caps, and the swap."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from benefits.models import Benefit, StampBoard
from benefits.queries.stamps import get_board_card, list_boards
from benefits.services.stamps import collect_stamps, swap_stamps
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private
from zone.core.ids import uuid7
from zone.members.models import Member


@require_GET
def stamps_page(request: HttpRequest) -> HttpResponse:
    """Every board with its fields. What came in since the last look is collected first."""
    member: Member = request.member  # type: ignore[attr-defined]
    now = database_now()
    if not member.is_frozen:
        collect_stamps(member=member, now=now)
    cards = [get_board_card(board, member, now=now) for board in list_boards(member, now=now)]
    context = {"tab": "benefits", "cards": cards, "op_id": uuid7(now)}
    return private(render(request, "stamps/stamps.html", context))


@require_POST
def swap(request: HttpRequest, slug: str) -> HttpResponse:
    """One full board for the chosen benefit; a refusal is a sentence and changes nothing."""
    member: Member = request.member  # type: ignore[attr-defined]
    now = database_now()
    board = StampBoard.objects.filter(slug=slug, livemode=member.wallet.livemode).first()
    benefit = Benefit.objects.filter(slug=request.POST.get("benefit", "")).first()
    if board is None or benefit is None:
        raise Http404
    try:
        claim = swap_stamps(
            member=member, board=board, benefit=benefit, op_id=_op_id(request), now=now
        )
    except NotFound as error:
        raise Http404 from error
    except ZoneError as refusal:
        messages.error(request, str(refusal))
        return private(redirect("benefits:stamps"))
    return private(redirect("benefits:claim_page", claim.public_id))


def _op_id(request: HttpRequest) -> UUID:
    try:
        op_id = UUID(request.POST.get("op_id", ""))
    except ValueError as error:
        raise Http404 from error
    if op_id.version != 7:
        raise Http404
    return op_id
