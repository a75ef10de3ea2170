"""The front of a rush: a claim's questions in one query, and the two answers everybody gets.

When a release is gone, thousands ask for it again. Whoever would only hear "all gone" or "you have
this one" hears it here, from a panel that is ready, before any page is made. It is said on the
database's word: the member, their session and what they hold are read now, and "all gone" is what
the database told this process within the last 200 ms. Everybody else goes on, and what was read
goes with them. Nothing is written here, so no form token is asked for.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import ResolverMatch, resolve
from django.utils import translation

from benefits.errors import LimitReached, SoldOut
from benefits.gate import gate
from benefits.models import Release
from benefits.queries import Standing, get_release
from benefits.queries.standing import STANDING_COLUMNS, STANDING_JOIN, build_standing
from benefits.views.claiming import refusal_context
from benefits.views.offer import words_language
from benefits.views.panels import ANY_CLAIM, kept_panel
from zone.core.errors import ZoneError
from zone.core.http import private
from zone.core.rows import fetch_row
from zone.members.middleware import language_for
from zone.members.models import Member
from zone.members.services.sessions import (
    SESSION_COLUMNS,
    SESSION_JOIN,
    SESSION_WIDTH,
    build_session,
    hash_of_cookie,
)

_ADDRESS = re.compile(r"/benefits/([-a-zA-Z0-9_]+)/claim")
_READ = f"""
    SELECT {SESSION_COLUMNS}, {STANDING_COLUMNS}
    FROM {SESSION_JOIN} {STANDING_JOIN}
    WHERE session.token_hash = %s::bytea
"""  # noqa: S608


class RushMiddleware:
    """Answer a claim that can only be refused; put session and standing on every other one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and (asked := _ADDRESS.fullmatch(request.path_info)):
            return self.serve(request, asked[1])
        return self.get_response(request)

    def serve(self, request: HttpRequest, slug: str) -> HttpResponse:
        token_hash = hash_of_cookie(request.COOKIES.get(settings.MEMBER_COOKIE_NAME))
        op_id = _uuid(request.POST.get("op_id", ""))
        row = None
        if token_hash is not None and op_id is not None:
            row = fetch_row(_READ, [request.POST.get("release", "")[:30], op_id, token_hash])
        session = None if row is None else build_session(row[:SESSION_WIDTH])
        if row is None or session is None:
            return self.get_response(request)
        member = session.member
        standing = build_standing(row[SESSION_WIDTH:], member=member)
        request.known_session = session  # type: ignore[attr-defined]
        request.standing = standing  # type: ignore[attr-defined]
        release = get_release(standing)
        refusal = _find_refusal(release, standing, slug)
        is_ours = refusal is not None and not member.is_frozen and _is_at_our_door(request)
        if refusal is None or not is_ours:
            return self.get_response(request)
        request.member = member  # type: ignore[attr-defined]
        request.resolver_match = _route()
        return _answer(request, member, release, standing, refusal)


def _find_refusal(release: Release, standing: Standing, slug: str) -> ZoneError | None:
    """What this member would be told for certain, when it is one of the two common answers."""
    if release.benefit.slug != slug or not release.is_hot or standing.made_id is not None:
        return None  # A retry gets its first answer.
    if standing.held >= release.per_member:
        return LimitReached(limit=release.per_member)
    return SoldOut() if gate.is_sold_out(release.pk) else None


def _answer(
    request: HttpRequest,
    member: Member,
    release: Release,
    standing: Standing,
    refusal: ZoneError,
) -> HttpResponse:
    language = language_for(request)
    panel = _panel(member, release, standing, refusal, language).encode()
    response = HttpResponse(panel)
    # What the middleware behind this one would have said.
    response["Content-Language"] = language
    response["Content-Length"] = str(len(panel))
    response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
    return private(response)


def _panel(
    member: Member, release: Release, standing: Standing, refusal: ZoneError, language: str
) -> str:
    """The panel as any member in the same position sees it, made once a second a process."""
    binding = standing.binding
    key = (
        *("refused", standing.version, refusal.code, language, words_language(member, language)),
        *(member.wallet_id, member.is_adult, member.status),
        binding.storefront if binding is not None and binding.is_bound else member.storefront,
        binding is not None and binding.is_bound and binding.valid_until is None,
        binding.valid_until if binding is not None else None,
    )

    def make() -> str:
        with translation.override(language):
            context = refusal_context(
                member, release, standing, refusal, held_id=ANY_CLAIM if standing.held_id else ""
            )
            return render_to_string("benefits/_refused.html", context)

    panel = kept_panel(key, make)
    return panel.replace(ANY_CLAIM, standing.held_id) if standing.held_id else panel


def _is_at_our_door(request: HttpRequest) -> bool:
    """Whether it asks for a panel, and at the members' host. Raises DisallowedHost."""
    headers = request.headers
    if headers.get("HX-Request") != "true" or headers.get("HX-Boosted") == "true":
        return False
    return request.get_host().partition(":")[0] != settings.CONSOLE_HOST


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _route() -> ResolverMatch:
    """The address's pattern, for the access log."""
    return resolve("/benefits/any/claim")
