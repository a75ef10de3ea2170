"""The console's door: its own host, and an operator session that ends when it should."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.urls import reverse

from zone.console.services import sessions
from zone.core import clock
from zone.core.http import private

CONSOLE_PATH = "/console/"
# What the console's host answers beside the console itself.
_COMMON_PATHS = ("/static/", "/media/", "/healthz", "/readyz")


class ConsoleMiddleware:
    """Keep the console on its host, and put the operator's open session on the request.

    With CONSOLE_HOST set, the console is not found anywhere else, and nothing else is found on its
    host. A session that is over is signed out here, before any page is made.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_console = request.path_info.startswith(CONSOLE_PATH)
        if settings.CONSOLE_HOST:
            is_its_host = request.get_host().partition(":")[0] == settings.CONSOLE_HOST
            is_common = request.path_info.startswith(_COMMON_PATHS)
            if is_console != is_its_host and not is_common:
                return HttpResponseNotFound("Not found.", content_type="text/plain; charset=utf-8")
        if not is_console:
            return self.get_response(request)
        request.operator_session = None  # type: ignore[attr-defined]
        if request.user.is_authenticated and (ending := _continue(request)):
            auth.logout(request)
            if not request.path_info.startswith(reverse("admin:login")):
                query = urlencode({"ended": ending})
                return HttpResponseRedirect(f"{reverse('admin:login')}?{query}")
        return private(self.get_response(request))


def _continue(request: HttpRequest) -> str:
    """Set the request's open session; else how it ended ("" while the factor is awaited)."""
    now = clock.now()
    session_id = request.session.get("operator_session_id")
    if session_id is None:
        entered_at = request.session.get("operator_password_at", 0)
        waited = now - datetime.fromtimestamp(entered_at, tz=UTC)
        return "idle" if waited > sessions.PASSWORD_HOLDS_FOR else ""
    outcome = sessions.continue_session(
        session_id,
        user_id=request.user.pk or 0,
        agent_family=sessions.agent_family_of(request.headers.get("User-Agent", "")),
        now=now,
    )
    if isinstance(outcome, str):
        return outcome
    request.operator_session = outcome  # type: ignore[attr-defined]
    return ""
