"""The outermost door of a drop that is gone: who hears "all gone" hears it before Django starts.

Of a hundred thousand who press the button ninety thousand come too late, all within a minute, and
all hear the same. The first of them is answered by the page behind (`benefits/middleware.py`); its
answer, with every header it left with, is said again here for a second to whoever is in the same
position. What is asked each time is what must be: whether the session is open, whether the member
may act, and whether they hold the benefit already. Whatever is not plain goes on to the page.

Nothing is said here that the page would not say: a release is gone only while the database has
said so within the last 200 ms (see `benefits/gate.py`), and an answer is kept under everything it
was made from.
"""

import io
import re
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.conf import settings
from django.db import Error, connection
from django.http import parse_cookie

from benefits.gate import gate
from benefits.views.panels import PANEL_SECONDS
from zone.core import logs
from zone.core.ids import new_public_id
from zone.core.middleware import log_access
from zone.core.rows import fetch_row
from zone.members.services.sessions import hash_of_cookie

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

ADDRESS = re.compile(r"/benefits/([-a-zA-Z0-9_]+)/claim")
ROUTE = "benefits/<slug:slug>/claim"
GONE = "benefits.rush.gone"  # Set by the page when its answer is this one: the release's key.
_BODY_BYTES_MAX = 2000
_FORM = "application/x-www-form-urlencoded"
_KEPT_MAX = 500
# Everything that the answer depends on; no row for a member who is to be answered by the page.
_READ = """
    SELECT member.wallet_id, member.is_adult, member.status, member.language, member.storefront,
           binding.status, binding.storefront, binding.valid_until
    FROM members_membersession session
    JOIN members_member member ON member.id = session.member_id
    LEFT JOIN members_binding binding ON binding.member_id = member.id
        AND binding.status IN ('pending', 'active', 'suspended', 'unbinding')
    WHERE session.token_hash = %s::bytea AND session.revoked_at IS NULL
      AND session.idle_until > zone_now() AND session.expires_at > zone_now()
      AND member.status = 'active' AND member.frozen_at IS NULL
      AND NOT EXISTS (
          SELECT FROM benefits_claim made
          WHERE made.member_id = member.id AND made.op_id = %s::uuid)
      AND NOT EXISTS (
          SELECT FROM benefits_claim held
          WHERE held.release_id = %s::bigint AND held.member_id = member.id
            AND held.counts_to_limit AND (held.holds_slot OR held.state = 'gifted'))
"""


class RushDoor:
    """A WSGI application in front of `application`."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.releases: dict[tuple[str, str], int] = {}  # those that were gone, by address and name
        self.kept: dict[tuple[object, ...], tuple[float, str, Headers, bytes]] = {}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        started = time.monotonic()
        asked = self._read(environ)
        if asked is None:
            return self.application(environ, start_response)
        name, op_id = asked
        key = self._position(environ, name, op_id)
        kept = self.kept.get(key) if key is not None else None
        if kept is None or kept[0] < started:
            return self._pass_on(environ, start_response, name, key)
        _, status, headers, body = kept
        request_id = new_public_id("req")
        mark = logs.request_id.set(request_id)
        try:
            log_access("POST", ROUTE, int(status[:3]), time.monotonic() - started)
        finally:
            logs.request_id.reset(mark)
        start_response(status, [*headers, ("Request-Id", request_id)])
        return [body]

    def _read(self, environ: Environ) -> tuple[tuple[str, str], UUID] | None:
        """The benefit's address and the release's name, and the operation; None for anything else.

        The body is read and put back: whoever stands behind reads it again.
        """
        if (
            environ["REQUEST_METHOD"] != "POST"
            or environ.get("HTTP_HX_REQUEST") != "true"
            or "HTTP_HX_BOOSTED" in environ
            or not environ.get("CONTENT_TYPE", "").startswith(_FORM)
            or not (asked := ADDRESS.fullmatch(environ.get("PATH_INFO", "")))
        ):
            return None
        length = environ.get("CONTENT_LENGTH", "")
        if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            return (asked[1], form["release"][:30]), UUID(form["op_id"])
        except (ValueError, KeyError):
            return None

    def _position(
        self, environ: Environ, name: tuple[str, str], op_id: UUID
    ) -> tuple[object, ...] | None:
        """All that the answer is made from; None when the page has to look for itself."""
        release_id = self.releases.get(name)
        if release_id is None or not gate.is_sold_out(release_id):
            return None
        token_hash = hash_of_cookie(
            parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.MEMBER_COOKIE_NAME)
        )
        if token_hash is None:
            return None
        try:
            row = fetch_row(_READ, [token_hash, op_id, release_id])
        except Error:
            return None  # The page says what there is to say about that.
        finally:
            connection.close_if_unusable_or_obsolete()  # As at the end of every request.
        if row is None:
            return None
        heard = ("HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "wsgi.url_scheme", "SCRIPT_NAME")
        return (*name, *(environ.get(header) for header in heard), *row)

    def _pass_on(
        self,
        environ: Environ,
        start_response: Callable[..., Any],
        name: tuple[str, str],
        key: tuple[object, ...] | None,
    ) -> Iterable[bytes]:
        said: list[tuple[str, Headers]] = []

        def heard(status: str, headers: Headers, *rest: Any) -> Any:
            said.append((status, headers))
            return start_response(status, headers, *rest)

        answer = self.application(environ, heard)
        release_id = environ.get(GONE)
        if release_id is None:
            return answer
        if len(self.releases) >= _KEPT_MAX:
            self.releases.clear()
        self.releases[name] = release_id
        if key is not None:
            self._keep(key, *said[-1], b"".join(answer))
        return answer

    def _keep(self, key: tuple[object, ...], status: str, headers: Headers, body: bytes) -> None:
        names = {header.lower() for header, _ in headers}
        if not status.startswith("200 ") or "set-cookie" in names:
            return
        if len(self.kept) >= _KEPT_MAX:
            self.kept.clear()
        everyones = [header for header in headers if header[0] != "Request-Id"]
        self.kept[key] = (time.monotonic() + PANEL_SECONDS, status, everyones, body)
