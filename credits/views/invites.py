"""Inviting a friend: one's own link to share, and the page a friend lands on."""

import segno
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from credits.models import Referral
from credits.queries.events import list_referrals, preview_referral
from credits.services.referrals import (
    accept_invitation,
    get_invitation,
    refuse_unless_may_accept,
)
from zone.core.clock import database_now
from zone.core.errors import NotFound, ZoneError
from zone.core.http import private
from zone.members.models import Member


@require_GET
def invite_page(request: HttpRequest) -> HttpResponse:
    """The member's link as words and as a QR code, what it gives, and what came of it."""
    member: Member = request.member  # type: ignore[attr-defined]
    code = get_invitation(member).code
    link = settings.SITE_URL + reverse("credits:invited", args=[code])
    friends = list_referrals(member)
    context = {
        "tab": "credits",
        "link": link,
        "drawing": _draw(link),
        "reward": preview_referral(member, now=database_now()),
        "friends": friends,
        "bought": sum(friend.state == Referral.State.BOUGHT for friend in friends),
    }
    return private(render(request, "credits/invite.html", context))


def _draw(link: str) -> SafeString:
    """Always dark on white: scanners do not read the other way round."""
    drawing = segno.make(link, error="m", micro=False).svg_inline(
        border=0, dark="#111", omitsize=True, svgclass=None, lineclass=None
    )
    return mark_safe(drawing)  # noqa: S308 segno writes numbers only; the content is not in it


@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, code: str) -> HttpResponse:
    """A friend's way in: signing in comes first and leads back here. POST accepts."""
    member: Member = request.member  # type: ignore[attr-defined]
    now = database_now()
    try:
        if request.method == "POST":
            accept_invitation(member=member, code=code, now=now)
            messages.success(request, _("Accepted. Enjoy your first purchase."))
            return private(redirect("pages:home"))
        refuse_unless_may_accept(member=member, code=code, now=now)
    except NotFound as error:
        raise Http404 from error
    except ZoneError as refusal:
        context = {"refusal": refusal, "tab": "today"}
        answer = render(request, "credits/invited.html", context, status=refusal.http_status)
        return private(answer)
    return private(render(request, "credits/invited.html", {"code": code, "tab": "today"}))
