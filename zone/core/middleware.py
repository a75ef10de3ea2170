"""A request id for every request: in the answer, in each log line, on each error page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from zone.core import logs
from zone.core.ids import new_public_id


class RequestIdMiddleware:
    """Give each request a fresh id. One sent by the caller is not trusted as an id of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = new_public_id("req")  # type: ignore[attr-defined]
        mark = logs.request_id.set(request.request_id)  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        finally:
            logs.request_id.reset(mark)
        response["Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response
