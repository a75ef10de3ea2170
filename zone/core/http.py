"""Small helpers for HTTP doors."""

from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers


def wants_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a panel instead of a page."""
    return bool(getattr(request, "htmx", False)) and not request.htmx.boosted  # type: ignore[attr-defined]


AnyResponse = TypeVar("AnyResponse", bound=HttpResponseBase)


def private(response: AnyResponse) -> AnyResponse:
    """Mark an answer as one person's own: no cache keeps it, htmx and page are kept apart."""
    response["Cache-Control"] = "no-store, private"
    patch_vary_headers(response, ["HX-Request", "Cookie", "Accept-Language"])
    return response
