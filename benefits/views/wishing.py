"""Asking to be told when a benefit can be had, and taking that back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from benefits.models import Benefit
from benefits.queries import open_to
from benefits.services.wishes import drop_wish, make_wish
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.http import private


@require_POST
def make(request: HttpRequest, slug: str) -> HttpResponse:
    """The member is told once. A refusal is a sentence and changes nothing."""
    try:
        make_wish(member=request.member, benefit=_benefit(request, slug), now=database_now())  # type: ignore[attr-defined]
    except ZoneError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("We tell you when you can have it."))
    return private(redirect("benefits:detail", slug))


@require_POST
def drop(request: HttpRequest, slug: str) -> HttpResponse:
    if drop_wish(member=request.member, benefit=_benefit(request, slug), now=database_now()):  # type: ignore[attr-defined]
        messages.success(request, _("We tell you nothing of it."))
    return private(redirect("benefits:detail", slug))


def _benefit(request: HttpRequest, slug: str) -> Benefit:
    """One that this member is shown."""
    shown = open_to(Benefit.objects.listed(database_now()), request.member)  # type: ignore[attr-defined]
    benefit = shown.filter(slug=slug).first()
    if benefit is None:
        raise Http404
    return benefit
