"""Joining and leaving the line of a benefit that is all gone."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from benefits.models import Release
from benefits.services.waitlist import join_waitlist, leave_waitlist
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.http import private


@require_POST
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """Wait in line; the page says where. A refusal is a sentence and changes nothing."""
    release = _release(request, slug)
    try:
        join_waitlist(member=request.member, release=release, now=database_now())  # type: ignore[attr-defined]
    except ZoneError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("You are in line. We tell you when it is your turn."))
    return private(redirect("benefits:detail", slug))


@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Leave the line, or let an offer go to the next one."""
    release = _release(request, slug)
    if leave_waitlist(member=request.member, release=release, now=database_now()):  # type: ignore[attr-defined]
        messages.success(request, _("You are not in line any more."))
    return private(redirect("benefits:detail", slug))


def _release(request: HttpRequest, slug: str) -> Release:
    release = (
        Release.objects.filter(public_id=request.POST.get("release", ""), benefit__slug=slug)
        .select_related("benefit")
        .first()
    )
    if release is None:
        raise Http404
    return release
