"""A request id for every request: in the answer, in each log line, on each error page."""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from zone.core import logs
from zone.core.ids import new_public_id

logger = logging.getLogger("zone.access")
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
            _log_access(request, response, time.monotonic() - started)
        finally:
            logs.request_id.reset(mark)
        return response


def _log_access(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    is_quiet = request.path_info in _QUIET_PATHS and response.status_code < 400
    match = request.resolver_match
    logger.log(
        logging.DEBUG if is_quiet else logging.INFO,
        "%s %s",
        request.method,
        match.route if match else "(no such address)",
        extra={"status": response.status_code, "milliseconds": round(seconds * 1000, 1)},
    )
