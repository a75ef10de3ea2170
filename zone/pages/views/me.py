"""The member's own corner: who they are here, and how the portal behaves for them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from zone.core.http import private
from zone.members.access import open_to_all
from zone.members.models import Consent
from zone.members.queries import find_open_binding
from zone.pages.context import THEME_COOKIE_NAME, THEMES


@require_GET
def me(request: HttpRequest) -> HttpResponse:
    """Profile, and the way to everything that is the member's."""
    context = {"tab": "me", "binding": find_open_binding(request.member)}
    return private(render(request, "home/me.html", context))


@open_to_all
@require_GET
def settings_page(request: HttpRequest) -> HttpResponse:
    """Language and appearance for everyone; consents and the linked wallet for members."""
    theme = request.COOKIES.get(THEME_COOKIE_NAME, "")
    context = {"tab": "settings", "chosen_theme": theme if theme in THEMES else "system"}
    if request.member is not None:
        context["binding"] = find_open_binding(request.member)
        context["consents"] = Consent.objects.filter(
            member=request.member, withdrawn_at=None
        ).order_by("given_at")
    return private(render(request, "home/settings.html", context))
