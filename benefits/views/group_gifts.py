"""The pages of a gift that friends pay for together: to start it, to join, and how it stands."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from benefits import group_queries
from benefits.errors import BindingRequired
from benefits.gift_forms import GROUP_DAYS_MAX, GroupForm, PartForm
from benefits.group_errors import NotForGroups
from benefits.models import GroupGift
from benefits.poster import draw_poster
from benefits.queries import Card
from benefits.services import gift_moves, group_gifts, group_parts
from benefits.views.gifts import member_of
from benefits.views.offer import available_credits, words_language
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private
from zone.core.ids import uuid7

_DAYS_DEFAULT = 7
_NAME_LETTERS = 20


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows the form, a POST begins: there is no preview, for it can be called off again."""
    member = member_of(request)
    if first := _first(request):
        return private(redirect("benefits:group", first.public_id))
    try:
        card = _card(request, slug)
    except ZoneError as refusal:  # Not for this member, or not now.
        messages.error(request, str(refusal))
        return private(redirect("benefits:detail", slug))
    if card is None:
        if request.method == "GET":
            raise Http404
        messages.error(request, str(NotForGroups()))  # Not any more: the page was older.
        return private(redirect("benefits:detail", slug))
    initial = {
        "release": card.release.public_id if card.release else "",
        "price": card.price_credits,
        "op_id": uuid7(),
        "days": _DAYS_DEFAULT,
        "signed_by": member.display_name[:_NAME_LETTERS],
        "time_zone": member.time_zone,
        "hour": "09:00",
    }
    if request.method == "GET":
        return _start_form(request, card, GroupForm(initial=initial, member=member))
    form = GroupForm(request.POST, member=member)
    if not form.is_valid():
        return _start_form(request, card, form, status=422)
    values = form.cleaned_data
    if card.release is None or card.release.public_id != values["release"]:
        # The page is older than the release: what it says of price and end is not true any more.
        form.add_error(None, _("This has changed meanwhile. Please look again."))
        return _start_form(request, card, form, status=409)
    try:
        group = group_gifts.start_group(
            starter=member,
            release=card.release,
            op_id=values["op_id"],
            amount=values["amount"],
            price=values["price"],
            days=values["days"],
            now=database_now(),
            **form.card(),
        )
    except ZoneError as refusal:
        form.add_error(None, str(refusal))
        return _start_form(request, card, form, status=refusal.http_status)
    return private(redirect("benefits:group", group.public_id))


@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """What a link shows to a signed-in friend; a POST puts a part in."""
    try:
        group = group_queries.get_by_token(token)
    except NotFound as error:
        raise Http404 from error
    if group.starter.wallet.livemode != member_of(request).wallet.livemode:
        raise Http404
    if request.method == "POST":
        return _put_in(request, group)
    return _page(request, group)


@require_GET
def group_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """How it stands, for its starter and for whoever has put something in."""
    return _page(request, _own(request, public_id))


@require_POST
def put_in(request: HttpRequest, public_id: str) -> HttpResponse:
    return _put_in(request, _own(request, public_id))


@require_POST
def take_back(request: HttpRequest, public_id: str) -> HttpResponse:
    group, member = _own(request, public_id), member_of(request)
    return _act(
        request,
        group,
        lambda: group_gifts.take_back(group=group, member=member, now=database_now()),
        _("Your credits are yours again."),
    )


@require_POST
def call_off(request: HttpRequest, public_id: str) -> HttpResponse:
    group, member = _own(request, public_id), member_of(request)
    if group.starter_id != member.pk:
        raise Http404
    return _act(
        request,
        group,
        lambda: group_gifts.call_off(
            group=group, actor=f"member:{member.public_id}", now=database_now()
        ),
        _("Called off. Everybody has their credits back."),
    )


@require_GET
def poster(request: HttpRequest, public_id: str) -> HttpResponse:
    """The picture with the QR of the link, while it collects."""
    group = _own(request, public_id)
    link = _link_of(request, group)
    if not link:
        raise Http404
    answer = HttpResponse(draw_poster(group, link=link), content_type="image/png")
    answer["Content-Disposition"] = 'inline; filename="gift.png"'
    return private(answer)


def _first(request: HttpRequest) -> GroupGift | None:
    """What this very page has started before: a second press leads there."""
    form = PartForm(request.POST)
    form.is_valid()
    op_id = form.cleaned_data.get("op_id") if request.method == "POST" else None
    if op_id is None:
        return None
    return GroupGift.objects.filter(starter=member_of(request), op_id=op_id).first()


def _card(request: HttpRequest, slug: str) -> Card | None:
    member = member_of(request)
    try:
        return group_queries.find_startable(
            slug=slug,
            member=member,
            available=available_credits(member) or 0,
            now=database_now(),
            language=words_language(member),
        )
    except NotFound as error:
        raise Http404 from error


def _start_form(
    request: HttpRequest, card: Card, form: GroupForm, status: int = 200
) -> HttpResponse:
    context = {
        "tab": "benefits",
        "form": form,
        "card": card,
        "available": available_credits(member_of(request)),
        "days_max": GROUP_DAYS_MAX,
        "parts_max": max(card.price_credits - 1, 1),
        "return_percent": group_queries.read_return_percent(card.release) if card.release else 0,
    }
    return private(render(request, "gifts/group_new.html", context, status=status))


def _own(request: HttpRequest, public_id: str) -> GroupGift:
    try:
        return group_queries.get_group(member=member_of(request), public_id=public_id)
    except NotFound as error:
        raise Http404 from error


def _link_of(request: HttpRequest, group: GroupGift) -> str:
    """The whole address to pass on, for its starter; empty once it is over."""
    is_starter = group.starter_id == member_of(request).pk
    if not is_starter or group.is_over_at(database_now()) or not bytes(group.token_sealed):
        return ""
    token = gift_moves.read_token(group)
    return request.build_absolute_uri(reverse("benefits:group_join", args=[token]))


def _put_in(request: HttpRequest, group: GroupGift) -> HttpResponse:
    form, member = PartForm(request.POST), member_of(request)
    if not form.is_valid():
        said = str(next(iter(form.errors.values()))[0])
        return _page(request, group, form=form, refusal=said, status=422)
    values, was_missing = form.cleaned_data, group.missing
    try:
        part = group_parts.put_in(
            group=group,
            member=member,
            amount=values["amount"],
            op_id=values["op_id"],
            now=database_now(),
            signed_by=" ".join(values["signed_by"].split()),
        )
    except ZoneError as refusal:
        return _page(request, group, form=form, refusal=refusal, status=refusal.http_status)
    if part.group.state == GroupGift.State.COMPLETE:
        messages.success(request, _("That was the last part. The gift is on its way."))
    elif values["amount"] == was_missing and part.group.state == GroupGift.State.COLLECTING:
        messages.info(
            request, _("Set aside. Another part had to go back, so some is missing again.")
        )
    else:
        messages.success(request, _("Set aside. They stay yours until all is there."))
    return private(redirect("benefits:group", group.public_id))


def _act(
    request: HttpRequest, group: GroupGift, verb: Callable[[], object], done: str
) -> HttpResponse:
    """Do it and go back to the page, or say there why not."""
    try:
        verb()
    except ZoneError as refusal:
        return _page(request, group, refusal=refusal, status=refusal.http_status)
    messages.success(request, done)
    return private(redirect("benefits:group", group.public_id))


def _page(
    request: HttpRequest,
    group: GroupGift,
    *,
    form: PartForm | None = None,
    refusal: ZoneError | str = "",
    status: int = 200,
) -> HttpResponse:
    """The group as it is now, which what was refused may have changed."""
    member, now = member_of(request), database_now()
    group.refresh_from_db(
        fields=["state", "collected", "closed_at", "claim", "gift", "token_sealed"]
    )
    mine = group_queries.read_part(group, member)
    is_starter = group.starter_id == member.pk
    why_not = None
    try:
        group_gifts.refuse_unless_may_join(group, member=member, now=now)
    except ZoneError as error:
        why_not = error
    is_in = is_starter or mine.amount > 0
    initial = {"op_id": uuid7(), "signed_by": member.display_name[:_NAME_LETTERS]}
    link = _link_of(request, group)
    context: dict[str, Any] = {
        "tab": "mine",
        "group": group,
        "state": group.state_at(now),
        "text": group.release.benefit.text(),
        "is_starter": is_starter,
        "is_in": is_in,
        "mine": mine,
        "percent": group.collected * 100 // group.price_credits,
        "names": group_queries.list_names(group) if is_in or why_not is None else [],
        # The operation stays with the page, through a refusal too.
        "form": form or PartForm(initial=initial),
        "refusal": refusal,
        "why_not": why_not,
        "needs_binding": isinstance(refusal or why_not, BindingRequired),
        "available": available_credits(member),
        "link": link,
        "now": now,
    }
    return private(render(request, "gifts/group.html", context, status=status))
