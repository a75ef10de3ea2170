"""The gift centre: what was given and received, one gift, and a giver's and receiver's buttons."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from benefits import gift_queries, group_queries
from benefits.errors import BindingRequired
from benefits.gift_forms import CardForm, ThanksForm
from benefits.models import Gift, GroupGift
from benefits.poster import draw_poster
from benefits.services import gift_moves, gift_opening, gifts
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private
from zone.members.models import Member


@require_GET
def centre(request: HttpRequest) -> HttpResponse:
    """Given and received, each with its exact state, and whom the member has blocked."""
    member = member_of(request)
    now = database_now()
    side: gift_queries.Side = "received" if request.GET.get("show") == "received" else "given"
    context = {
        "tab": "mine",
        "side": side,
        "gifts": [
            (gift, gift.state_at(now)) for gift in gift_queries.list_gifts(member=member, side=side)
        ],
        "can_send": bool(gift_queries.list_giftable(member=member, now=now)),
        "blocks": gift_queries.list_blocks(member) if side == "received" else [],
        "groups": [(group, group.state_at(now)) for group in group_queries.list_groups(member)]
        if side == "given"
        else [],
    }
    return private(render(request, "gifts/centre.html", context))


@require_GET
def gift_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """One gift: its track and link for the giver, its words and buttons for the receiver."""
    gift, side = _own(request, public_id)
    return _page(request, gift, side)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, public_id: str) -> HttpResponse:
    """Change card, words and hour until it is opened."""
    gift = _given(request, public_id)
    member = member_of(request)
    now = database_now()
    form = CardForm(request.POST if request.method == "POST" else _initial(gift), member=member)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            gifts.edit_gift(gift=gift, now=now, **form.card())
        except ZoneError as refusal:
            form.add_error(None, str(refusal))
            status = refusal.http_status
        else:
            messages.success(request, _("Saved. The link stays the same."))
            return private(redirect("benefits:gift", gift.public_id))
    context = {
        "tab": "mine",
        "form": form,
        "gift": gift,
        "can_move_hour": gift.state_at(now) == Gift.State.SCHEDULED,
    }
    return private(render(request, "gifts/edit.html", context, status=status))


@require_POST
def recall(request: HttpRequest, public_id: str) -> HttpResponse:
    gift = _given(request, public_id)
    return _act(
        request, gift, lambda: gifts.recall_gift(gift=gift, now=database_now()),
        _("Called back. It is yours again, with its old end."),
    )  # fmt: skip


@require_POST
def relink(request: HttpRequest, public_id: str) -> HttpResponse:
    gift = _given(request, public_id)
    return _act(
        request, gift, lambda: gifts.renew_link(gift=gift, now=database_now()),
        _("Here is a new link. The old one opens nothing any more."),
    )  # fmt: skip


@require_GET
def poster(request: HttpRequest, public_id: str) -> HttpResponse:
    """The picture with the QR of the link, while the gift is unopened."""
    gift = _given(request, public_id)
    link = link_of(request, gift)
    if not link:
        raise Http404
    answer = HttpResponse(draw_poster(gift, link=link), content_type="image/png")
    answer["Content-Disposition"] = 'inline; filename="gift.png"'
    return private(answer)


@require_POST
def accept(request: HttpRequest, public_id: str) -> HttpResponse:
    gift = _received(request, public_id)
    member = member_of(request)
    return _act(
        request,
        gift,
        lambda: gift_opening.accept_gift(gift=gift, member=member, now=database_now()),
        _("It is yours. You find it in My benefits."),
    )


@require_POST
def decline(request: HttpRequest, public_id: str) -> HttpResponse:
    gift = _received(request, public_id)
    member = member_of(request)
    return _act(
        request,
        gift,
        lambda: gift_opening.decline_gift(gift=gift, member=member, now=database_now()),
        _("It went back to its giver."),
    )


@require_POST
def block(request: HttpRequest, public_id: str) -> HttpResponse:
    gift = _received(request, public_id)
    member = member_of(request)
    return _act(
        request,
        gift,
        lambda: gift_opening.block_giver(gift=gift, member=member, now=database_now()),
        _("You will get no more gifts from this person. They are not told."),
    )


@require_POST
def unblock(request: HttpRequest, block_id: int) -> HttpResponse:
    gift_opening.unblock_giver(member=member_of(request), block_id=block_id)
    return private(redirect(f"{reverse('benefits:gifts')}?show=received"))


@require_POST
def thank(request: HttpRequest, public_id: str) -> HttpResponse:
    gift = _received(request, public_id)
    form = ThanksForm(request.POST)
    if not form.is_valid():
        return _page(request, gift, "received", refusal=_("Fifty characters at most."), status=422)
    member, words = member_of(request), form.cleaned_data["words"]
    return _act(
        request,
        gift,
        lambda: gift_opening.thank_giver(gift=gift, member=member, words=words, now=database_now()),
        _("Your thanks are on their way."),
    )


def member_of(request: HttpRequest) -> Member:
    member: Member = request.member  # type: ignore[attr-defined]
    return member


def link_of(request: HttpRequest, gift: Gift) -> str:
    """The whole address to pass on; empty once it was opened or is over."""
    token = gift_moves.read_token(gift)
    return request.build_absolute_uri(reverse("benefits:box", args=[token])) if token else ""


def _own(request: HttpRequest, public_id: str) -> tuple[Gift, gift_queries.Side]:
    try:
        return gift_queries.get_gift(member=member_of(request), public_id=public_id)
    except NotFound as error:
        raise Http404 from error


def _given(request: HttpRequest, public_id: str) -> Gift:
    gift, side = _own(request, public_id)
    if side != "given":
        raise Http404
    return gift


def _received(request: HttpRequest, public_id: str) -> Gift:
    gift, side = _own(request, public_id)
    if side != "received":
        raise Http404
    return gift


def _act(request: HttpRequest, gift: Gift, verb: Callable[[], object], done: str) -> HttpResponse:
    """Do it and go back to the gift, or say there why not."""
    try:
        verb()
    except ZoneError as refusal:
        gift, side = _own(request, gift.public_id)
        return _page(request, gift, side, refusal=refusal, status=refusal.http_status)
    messages.success(request, done)
    return private(redirect("benefits:gift", gift.public_id))


def _page(
    request: HttpRequest,
    gift: Gift,
    side: gift_queries.Side,
    *,
    refusal: ZoneError | str = "",
    status: int = 200,
) -> HttpResponse:
    now = database_now()
    context: dict[str, Any] = {
        "tab": "mine",
        "gift": gift,
        "state": gift.state_at(now),
        "text": gift.claim.benefit.text(),
        "refusal": refusal,
        "needs_binding": isinstance(refusal, BindingRequired),
        "now": now,
    }
    if side == "given":
        is_open = gift.is_unopened and not gift.is_due_back(now)
        context |= {
            "link": link_of(request, gift) if is_open else "",
            "can_change": is_open,
            "group": GroupGift.objects.filter(gift=gift).first(),
        }
    return private(render(request, f"gifts/{side}.html", context, status=status))


def _initial(gift: Gift) -> dict[str, Any]:
    hour = gift.deliver_at.astimezone(ZoneInfo(gift.time_zone))
    return {
        "theme": gift.theme,
        "words": gift.words,
        "receiver_name": gift.receiver_name,
        "signed_by": gift.signed_by,
        "when": CardForm.LATER if gift.state == Gift.State.SCHEDULED else CardForm.NOW,
        "on": hour.date().isoformat(),
        "hour": hour.strftime("%H:%M"),
        "time_zone": gift.time_zone,
    }
