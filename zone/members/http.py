"""What this room's views share: cookies, and what a request tells about its device."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict

from zone.core import clock
from zone.members.errors import WalletReturnRefused
from zone.members.services import visits
from zone.members.services.sessions import OpenedSession

_VISIT_SECONDS = 24 * 3600
_SYSTEMS = (
    ("iPhone", "iPhone", "ios"),
    ("iPad", "iPad", "ios"),
    ("Android", "Android", "android"),
    ("Macintosh", "Mac", "macos"),
    ("Windows", "Windows", "windows"),
    ("Linux", "Linux", "linux"),
)


def set_member_cookie(response: HttpResponse, opened: OpenedSession) -> None:
    """Hand the session to the browser: unreadable to scripts, not sent by other sites' forms."""
    left = opened.session.expires_at - clock.now()
    response.set_cookie(
        settings.MEMBER_COOKIE_NAME,
        opened.cookie,
        max_age=int(left.total_seconds()),
        path="/",
        secure=settings.IS_HTTPS,
        httponly=True,
        samesite="Lax",
    )


def drop_member_cookie(response: HttpResponse) -> None:
    """Take the session back from the browser, with whatever it kept of our pages."""
    for name in (settings.MEMBER_COOKIE_NAME, settings.VISIT_COOKIE_NAME):
        response.set_cookie(
            name,
            "",
            max_age=0,
            path="/",
            secure=settings.IS_HTTPS,
            httponly=True,
            samesite="Lax",
        )
    response["Clear-Site-Data"] = '"cache", "storage"'


def browser_key(request: HttpRequest) -> str:
    """The key that ties trips to this browser; empty when it never set out."""
    return request.COOKIES.get(settings.VISIT_COOKIE_NAME, "")


def ensure_browser_key(request: HttpRequest) -> str:
    """This browser's key, fresh when it has none. Two tabs share it."""
    return browser_key(request) or visits.new_browser_key()


def set_visit_cookie(response: HttpResponse, key: str) -> None:
    """Let the browser keep its key for as long as a trip may take."""
    response.set_cookie(
        settings.VISIT_COOKIE_NAME,
        key,
        max_age=_VISIT_SECONDS,
        path="/",
        secure=settings.IS_HTTPS,
        httponly=True,
        samesite="Lax",
    )


def single_values(query: QueryDict) -> dict[str, str]:
    """A return's parameters. One that comes twice could be read two ways, so it is refused."""
    params: dict[str, str] = {}
    for name, values in query.lists():
        if len(values) != 1:
            raise WalletReturnRefused
        params[name] = values[0]
    params.pop("csrfmiddlewaretoken", None)
    return params


def device_name(request: HttpRequest) -> str:
    """A name a member recognises on the list of their devices. A hint, never trusted."""
    agent = request.headers.get("User-Agent", "")
    return next((name for mark, name, _ in _SYSTEMS if mark in agent), "")


def device_os(request: HttpRequest) -> str:
    """The operating system, for reports."""
    agent = request.headers.get("User-Agent", "")
    return next((system for mark, _, system in _SYSTEMS if mark in agent), "other")


def host_name(request: HttpRequest) -> str:
    """Whether the page is shown inside a wallet. A hint for looks, never trusted."""
    agent = request.headers.get("User-Agent", "")
    is_inside = any(mark in agent for mark in ("AlipayClient", "MiniProgram", "GCash"))
    return "wallet" if is_inside else "browser"


def go(request: HttpRequest, address: str) -> HttpResponse:
    """Send a form's sender on: 303 for a page, a header for htmx, which follows neither."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponse(status=303, headers={"Location": address})
