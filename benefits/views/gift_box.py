"""The box behind a link: closed for everybody, open for the first member who opens it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from benefits.errors import BindingRequired
from benefits.gift_errors import NotYet
from benefits.gift_queries import get_by_token
from benefits.models import Gift
from benefits.services import gift_opening
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private
from zone.members.access import open_to_all
from zone.members.middleware import send_to_welcome
from zone.members.models import Member


@open_to_all
@require_http_methods(["GET", "HEAD", "POST"])
def box(request: HttpRequest, token: str) -> HttpResponse:
    """Looking never opens it: previews of links and impatient browsers only look."""
    member: Member | None = request.member  # type: ignore[attr-defined]
    now = database_now()
    try:
        gift = get_by_token(token)
        if request.method == "POST":
            if member is None:
                return send_to_welcome(request)
            gift = gift_opening.open_gift(token=token, member=member, now=now)
    except NotFound as error:
        raise Http404 from error
    except ZoneError as refusal:
        return _page(request, gift, refusal=refusal, status=refusal.http_status)
    if member is not None and gift.receiver_id == member.pk:
        return private(redirect("benefits:gift", gift.public_id))
    return _page(request, gift, refusal=_refusal(gift, member))


def _refusal(gift: Gift, member: Member | None) -> ZoneError | None:
    """Why pressing "open" would be refused, said before anybody presses it."""
    now = database_now()
    try:
        if member is None:
            gift_opening.refuse_unless_openable(gift, now=now)
        else:
            gift_opening.refuse_unless_may_open(gift, member=member, now=now)
    except ZoneError as refusal:
        return refusal
    return None


def _page(
    request: HttpRequest, gift: Gift, *, refusal: ZoneError | None, status: int = 200
) -> HttpResponse:
    member: Member | None = request.member  # type: ignore[attr-defined]
    context = {
        "gift": gift,
        "is_giver": member is not None and member.pk == gift.giver_id,
        "is_early": isinstance(refusal, NotYet),
        "refusal": refusal,
        "needs_binding": isinstance(refusal, BindingRequired),
    }
    return private(render(request, "gifts/box.html", context, status=status))
