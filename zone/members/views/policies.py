"""What a member agrees to, in the version that their consent names."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zone.members.access import open_to_all
from zone.members.services.consents import POLICY_VERSION


@open_to_all
@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """The member terms."""
    return render(request, "members/terms.html", {"version": POLICY_VERSION})


@open_to_all
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """The privacy notice: what is read, why, for how long, and how to say no."""
    return render(request, "members/privacy.html", {"version": POLICY_VERSION})
