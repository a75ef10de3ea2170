"""One press of the button as a server hands it on, and an answer to it."""

import io
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.conf import settings
from django.http import parse_cookie

from zone.members.services.sessions import hash_of_cookie

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Position = tuple[object, ...]  # Everything that an answer was made from.

ADDRESS = re.compile(r"/benefits/([-a-zA-Z0-9_]+)/claim")
ROUTE = "benefits/<slug:slug>/claim"
_HEARD = ("HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "wsgi.url_scheme", "SCRIPT_NAME")
_BODY_BYTES_MAX = 2000
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Asked:
    """A claim asked for by the button's panel."""

    environ: Environ
    slug: str
    release: str  # its public id
    op_id: UUID
    form: dict[str, str]
    cookies: dict[str, str]
    # The release, and the address it was asked for under, which an answer may name.
    place: Position

    def hash_session(self) -> bytes | None:
        """What the session is found by; None without a cookie that we signed."""
        return hash_of_cookie(self.cookies.get(settings.MEMBER_COOKIE_NAME))


@dataclass(frozen=True, slots=True)
class Answer:
    """All of it but the request's own id."""

    status: str
    headers: Headers
    body: bytes


def read_asked(environ: Environ) -> Asked | None:
    """What is asked; None for anything but the button.

    The body is read and put back: whoever stands behind reads it again.
    """
    if (
        environ["REQUEST_METHOD"] != "POST"
        or environ.get("HTTP_HX_REQUEST") != "true"
        or "HTTP_HX_BOOSTED" in environ
        or not environ.get("CONTENT_TYPE", "").startswith(_FORM)
        or not (address := ADDRESS.fullmatch(environ.get("PATH_INFO", "")))
    ):
        return None
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        release, op_id = form["release"][:30], UUID(form["op_id"])
    except (ValueError, KeyError):
        return None
    return Asked(
        environ=environ,
        slug=address[1],
        release=release,
        op_id=op_id,
        form=form,
        cookies=parse_cookie(environ.get("HTTP_COOKIE", "")),
        place=(address[1], release, *(environ.get(name, "") for name in _HEARD)),
    )
