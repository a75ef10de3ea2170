"""The front of a rush: a claim's questions in one query, and its answer without a page's frame.

The button's panel needs none of what stands between here and a page: no operator, no messages, no
address to look up. So it is claimed and answered from here, by the same view, after what a member's
page asks of everyone: a form token, a session, a member who is not frozen, the members' host.

When a release is gone, thousands ask for it again. Whoever would only hear "all gone" or "you have
this one" hears it from a panel that is ready. It is said on the database's word: the member, their
session and what they hold are read now, and "all gone" is what the database told this process
within the last 200 ms. Nothing is written for that, so no form token is asked for.

Whatever is not plain goes on to the page behind, and what was read goes with it.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import ResolverMatch, resolve
from django.utils import timezone, translation
from django_htmx.middleware import HtmxDetails

from benefits import claim_sql, rush
from benefits.errors import LimitReached, SoldOut
from benefits.form_tokens import FormTokens
from benefits.gate import gate
from benefits.models import Release
from benefits.queries import Standing, get_release, has_offers
from benefits.queries.standing import STANDING_COLUMNS, STANDING_JOIN, build_standing
from benefits.rules import find_window_refusal
from benefits.views.claiming import claim as claim_view
from benefits.views.claiming import refusal_context
from benefits.views.offer import words_language
from benefits.views.panels import ANY_CLAIM, kept_panel
from zone.core import clock
from zone.core.errors import ZoneError
from zone.core.http import private
from zone.core.rows import fetch_row
from zone.members.middleware import keep_out_of_caches, language_for
from zone.members.models import Member, MemberSession
from zone.members.services.sessions import (
    SESSION_COLUMNS,
    SESSION_JOIN,
    SESSION_WIDTH,
    build_session,
    hash_of_cookie,
    refresh_session,
)

_READ = f"""
    SELECT {SESSION_COLUMNS}, {STANDING_COLUMNS}
    FROM {SESSION_JOIN} {STANDING_JOIN}
    WHERE session.token_hash = %s::bytea
"""  # noqa: S608


class RushMiddleware:
    """Serve the panel's claims; put session and standing on every other one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.tokens = FormTokens(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and (asked := rush.ADDRESS.fullmatch(request.path_info)):
            return self.serve(request, asked[1])
        return self.get_response(request)

    def serve(self, request: HttpRequest, slug: str) -> HttpResponse:
        token_hash = hash_of_cookie(request.COOKIES.get(settings.MEMBER_COOKIE_NAME))
        op_id = _uuid(request.POST.get("op_id", ""))
        named = request.POST.get("release", "")[:30]
        row = None
        if token_hash is not None and op_id is not None and "\0" not in named:
            row = fetch_row(_READ, [named, op_id, token_hash])
        session = None if row is None else build_session(row[:SESSION_WIDTH])
        if row is None or session is None:
            return self.get_response(request)
        member = session.member
        standing = build_standing(row[SESSION_WIDTH:], member=member)
        request.known_session = session  # type: ignore[attr-defined]
        request.standing = standing  # type: ignore[attr-defined]
        release = get_release(standing)
        if release.benefit.slug != slug or member.is_frozen or not _is_at_our_door(request):
            return self.get_response(request)
        request.member = member  # type: ignore[attr-defined]
        refusal = _find_refusal(release, standing, member)
        if refusal is None:
            return self.claim(request, session, slug)
        request.resolver_match = _route()
        if isinstance(refusal, SoldOut):
            request.META[rush.GONE] = release.pk
        else:
            request.META[rush.OWNED] = standing.held_id
        language = language_for(request)
        panel = _panel(member, release, standing, refusal, language)
        return _finish(private(HttpResponse(panel)), language)

    def claim(self, request: HttpRequest, session: MemberSession, slug: str) -> HttpResponse:
        """The view itself, in the member's language and zone, once its form token is seen."""
        self.tokens.process_request(request)
        if self.tokens.process_view(request, claim_view, (), {}) is not None:
            return self.get_response(request)  # Refused there, in words.
        refresh_session(session, clock.now())
        member = session.member
        language = language_for(request)
        request.member_session = session  # type: ignore[attr-defined]
        request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
        request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]
        request.resolver_match = _route()
        # What goes wrong in there is a page, in the same words as everywhere.
        respond = convert_exception_to_response(partial(claim_view, slug=slug))
        with translation.override(language), timezone.override(ZoneInfo(member.time_zone)):
            answer = cast("HttpResponse", respond(request))
        if (won := getattr(request, "won", None)) is not None:
            request.META[rush.WON] = won
        self.tokens.process_response(request, answer)
        return _finish(answer, language)


def _find_refusal(release: Release, standing: Standing, member: Member) -> ZoneError | None:
    """What this member would be told for certain, when it is one of the two common answers."""
    if not release.is_hot or standing.made_id is not None:
        return None  # A retry gets its first answer.
    if standing.held >= release.per_member:
        return LimitReached(limit=release.per_member)
    if gate.is_sold_out(release.pk) or _is_still_sold_out(release, standing, member):
        return SoldOut()
    return None


def _is_still_sold_out(release: Release, standing: Standing, member: Member) -> bool:
    """Ask the database for a slot, where a whole claim would most likely end at the same answer."""
    now = standing.now
    if (
        not gate.was_sold_out(release.pk)
        or find_window_refusal(benefit=release.benefit, release=release, now=now) is not None
        or claim_sql.has_slot(release_id=release.pk, member_id=member.pk, now=now)
    ):
        return False
    if not has_offers(release):
        gate.note_sold_out(release.pk)
    return True


def _finish(response: HttpResponse, language: str) -> HttpResponse:
    """What the middleware behind this one would have said."""
    response["Content-Language"] = language
    response["Content-Length"] = str(len(response.content))
    response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
    return keep_out_of_caches(response)


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
