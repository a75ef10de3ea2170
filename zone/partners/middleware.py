"""What holds for every answer below /api/, whoever wrote it."""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from zone.partners.errors import HttpsRequired
from zone.partners.problems import problem_response, refusal_of_status
from zone.partners.versions import CURRENT_VERSION

logger = logging.getLogger("zone.api")

_PREFIX = "/api/"


class ApiMiddleware:
    """Refuse plain HTTP, read no cookie, forbid every cache, log one line, answer only JSON.

    A fault outside the API's views, such as a host that is not ours, becomes a problem document
    here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(_PREFIX):
            return self.get_response(request)
        started = time.monotonic()
        # A browser's session is no credential here, so nothing behind this line can see one.
        request.COOKIES = {}
        if settings.IS_HTTPS and not request.is_secure():
            response = problem_response(HttpsRequired())
        else:
            response = _as_json(self.get_response(request))
        _finish(request, response)
        _log(request, response, time.monotonic() - started)
        return response


def _as_json(response: HttpResponse) -> HttpResponse:
    is_json = response.get("Content-Type", "").split(";")[0].endswith("json")
    if response.status_code < 400 or is_json:
        return response
    return problem_response(refusal_of_status(response.status_code))


def _finish(request: HttpRequest, response: HttpResponse) -> None:
    token = getattr(request, "partner_token", None)
    pinned = token.key.zone_version if token else CURRENT_VERSION
    response["Zone-Version"] = getattr(request, "zone_version", pinned)
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept-Language, Authorization"
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    for name in list(response.cookies):
        del response.cookies[name]


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    token = getattr(request, "partner_token", None)
    match = request.resolver_match
    logger.info(
        "api call",
        extra={
            "method": request.method,
            "route": match.route if match else "",
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
            "partner": token.key.partner.slug if token else "",
            "credential": token.key.public_id if token else "",
            "error_code": getattr(response, "problem_code", ""),
        },
    )
