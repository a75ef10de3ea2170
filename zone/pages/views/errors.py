"""Error pages: plain words, a way on, and a reference that support can look up."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from zone.members.access import open_to_all


def _page(request: HttpRequest, status: int, template: str = "") -> HttpResponse:
    # Without a request context: an error page asks nothing of the database.
    language = getattr(request, "LANGUAGE_CODE", None) or translation.get_language() or "en"
    with translation.override(language):
        html = render_to_string(
            template or f"errors/{status}.html",
            {"reference": getattr(request, "request_id", "")},
        )
    return HttpResponse(html, status=status, headers={"Cache-Control": "no-store"})


@open_to_all
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400)


@open_to_all
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 403)


@open_to_all
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404)


@open_to_all
def only_from_its_button(request: HttpRequest) -> HttpResponse:
    return _page(request, 405)


@open_to_all
def server_error(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 500)


@open_to_all
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token did not match: usually a page left open for long, or cookies turned off."""
    return _page(request, 403, "errors/csrf.html")
