"""How the portal looks to this browser: language and appearance. Plain forms, no script."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from zone.members.access import open_to_all, safe_next
from zone.pages.context import THEME_COOKIE_NAME, THEMES

_YEAR_SECONDS = 365 * 24 * 3600


@open_to_all
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language in the browser, and with the member when there is one."""
    response = redirect(safe_next(request, request.POST.get("next")))
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        if request.member is not None and request.member.language != language:
            request.member.language = language
            request.member.save(update_fields=["language", "updated_at"])
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=_YEAR_SECONDS,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite=settings.LANGUAGE_COOKIE_SAMESITE,
        )
    return response


@open_to_all
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device says, on this browser alone."""
    response = redirect(safe_next(request, request.POST.get("next")))
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE_NAME,
            theme,
            max_age=_YEAR_SECONDS,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie(THEME_COOKIE_NAME)
    return response
