"""Small helpers for HTTP doors."""

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers


def wants_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a panel instead of a page."""
    return bool(getattr(request, "htmx", False)) and not request.htmx.boosted  # type: ignore[attr-defined]


def private(response: HttpResponse) -> HttpResponse:
    """Mark an answer as one person's own: no cache keeps it, htmx and page are kept apart."""
    response["Cache-Control"] = "no-store, private"
    patch_vary_headers(response, ["HX-Request", "Cookie", "Accept-Language"])
    return response
