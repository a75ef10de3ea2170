"""Who is asking: `request.member`, their language, and the door that closes every member page."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from zone.core import clock
from zone.core.http import private
from zone.members.access import is_other_door
from zone.members.errors import MemberSuspended
from zone.members.services import sessions

WELCOME = "/welcome"
ON_HOLD = "/me/on-hold"


class MemberMiddleware:
    """Put the signed-in member, or None, on the request, and the session beside it.

    One indexed read when there is a cookie that we signed; none for every other door, and none
    where the session was read already, as `known_session`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = getattr(request, "known_session", None)
        if session is None and not is_other_door(request.path_info):
            session = sessions.find_session(request.COOKIES.get(settings.MEMBER_COOKIE_NAME))
        request.member_session = session  # type: ignore[attr-defined]
        request.member = session.member if session else None  # type: ignore[attr-defined]
        if session:
            sessions.refresh_session(session, clock.now())
        return self.get_response(request)


class MemberLocaleMiddleware:
    """Speak the member's language and count days in their zone.

    Without a member: the cookie's or the browser's language, and UTC.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = language_for(request)
        request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
        member = getattr(request, "member", None)
        zone = ZoneInfo(member.time_zone) if member else None
        with translation.override(language), timezone.override(zone):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


def language_for(request: HttpRequest) -> str:
    """The enabled language closest to what this person asked for; English when none is."""
    member = getattr(request, "member", None)
    if member is None:
        return translation.get_language_from_request(request)
    return supported_language(member.language)


def supported_language(language: str) -> str:
    """The enabled language closest to the one that a member reads; English when none is."""
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return settings.LANGUAGE_CODE


class MemberRequiredMiddleware:
    """Close every page that does not say it is open, and keep all of them out of caches.

    Pages go to /welcome and come back; htmx is told to go there as a whole page, because a
    sign-in form inside a panel would be a trap.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        return response if is_other_door(request.path_info) else keep_out_of_caches(response)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        member = request.member  # type: ignore[attr-defined]
        if is_other_door(request.path_info) or getattr(view, "is_open_to_all", False):
            return None
        if member is None:
            return send_to_welcome(request)
        is_reading = request.method in {"GET", "HEAD", "OPTIONS"}
        if member.is_frozen and not is_reading and not getattr(view, "is_open_to_frozen", False):
            return refuse_frozen(request)
        return None


def keep_out_of_caches(response: HttpResponse) -> HttpResponse:
    """One person's own, unless the answer has said itself how long it may be kept."""
    if response.has_header("Cache-Control"):
        patch_vary_headers(response, ["Cookie", "Accept-Language"])
        return response
    return private(response)


def refuse_frozen(request: HttpRequest) -> HttpResponse:
    """What a frozen member is told instead of whatever they meant to do: nothing was changed."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=200, headers={"HX-Redirect": ON_HOLD})
    error = MemberSuspended()
    return render(request, "members/on_hold.html", {"tab": "me"}, status=error.http_status)


def send_to_welcome(request: HttpRequest) -> HttpResponse:
    """The way to sign in and back: to this page for a reader, to its page for a form or a panel."""
    is_panel = request.headers.get("HX-Request") == "true"
    came_from = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
    if is_panel or not came_from:
        came_from = _path_of(
            request.headers.get("HX-Current-URL") or request.headers.get("Referer")
        )
    address = f"{WELCOME}?{urlencode({'next': came_from})}" if came_from else WELCOME
    if is_panel:
        return HttpResponse(status=200, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _path_of(address: str | None) -> str:
    """Path and query of an address of this site. The welcome page checks it again."""
    if not address:
        return ""
    _, separator, rest = address.partition("://")
    if not separator:
        return ""
    slash = rest.find("/")
    return rest[slash:].partition("#")[0] if slash >= 0 else "/"
