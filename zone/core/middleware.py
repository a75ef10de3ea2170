"""A request id for every request: in the answer, in each log line, on each error page."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse

from zone.core import logs
from zone.core.ids import new_public_id

logger = logging.getLogger("zone.access")
_FORM = "application/x-www-form-urlencoded"
_QUIET_PATHS = {"/healthz", "/readyz"}


class RequestIdMiddleware:
    """Give each request a fresh id. One sent by the caller is not trusted as an id of ours.

    One line is logged for each request: the address's pattern, not the address, because a path or
    a query may name a person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.monotonic()
        request.request_id = new_public_id("req")  # type: ignore[attr-defined]
        mark = logs.request_id.set(request.request_id)  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
            response["Request-Id"] = request.request_id  # type: ignore[attr-defined]
            match = request.resolver_match
            log_access(
                request.method or "",
                match.route if match else "(no such address)",
                response.status_code,
                time.monotonic() - started,
                is_quiet=request.path_info in _QUIET_PATHS and response.status_code < 400,
            )
        finally:
            logs.request_id.reset(mark)
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, values: dict[str, Any]
    ) -> HttpResponse | None:
        """No name and no text of ours has a NUL in it, for the database takes none that has."""
        if any(isinstance(value, str) and "\0" in value for value in values.values()):
            raise Http404
        if request.content_type == _FORM and any(
            "\0" in value for _, values in request.POST.lists() for value in values
        ):
            raise SuspiciousOperation("a NUL in a form")
        return None


def log_access(
    method: str, route: str, status: int, seconds: float, *, is_quiet: bool = False
) -> None:
    """The line of one request, under the request id in force."""
    logger.log(
        logging.DEBUG if is_quiet else logging.INFO,
        "%s %s",
        method,
        route,
        extra={"status": status, "milliseconds": round(seconds * 1000, 1)},
    )
