"""Reading a JSON body strictly: what is ambiguous is refused, never guessed (RFC 8259, RFC 7493)."""

import json
from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from zone.partners.errors import (
    BodyTooLarge,
    InvalidHeader,
    MalformedJson,
    UnsupportedMediaType,
)

BODY_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 8


def read_json(request: HttpRequest) -> Any:
    """The one JSON value in the body.

    Raises BodyTooLarge, UnsupportedMediaType, MalformedJson, in this order.
    """
    _refuse_large(request)
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType
    charset = (request.content_params or {}).get("charset", "utf-8")
    if request.content_type != "application/json" or charset.lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType
    return parse_json(read_bytes(request))


def read_bytes(request: HttpRequest) -> bytes:
    """The raw body, at most 1 MiB. Raises BodyTooLarge."""
    _refuse_large(request)
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise BodyTooLarge from error
    if len(body) > BODY_BYTES_MAX:
        raise BodyTooLarge
    return body


def parse_json(raw: bytes) -> Any:
    """The value `raw` writes down. Raises MalformedJson."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object_without_repeats,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError as error:
        raise MalformedJson(why=_("it is not UTF-8")) from error
    except RecursionError as error:
        raise MalformedJson(why=_("it is nested too deeply")) from error
    except ValueError as error:
        # JSONDecodeError, and integers of more digits than Python converts.
        raise MalformedJson(why=_("it does not parse")) from error
    _refuse_deep(value)
    return value


def _refuse_large(request: HttpRequest) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    # `isdecimal` alone would let other scripts' digits through.
    if not (length.isascii() and length.isdecimal()):
        raise InvalidHeader(header="Content-Length")
    if int(length) > BODY_BYTES_MAX:
        raise BodyTooLarge


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson(why=_("a member name is repeated"))
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(why=_("it holds NaN or an infinity"))


def _refuse_deep(value: Any) -> None:
    """Level by level, so that a deep value costs no stack."""
    level, depth = [value], 0
    while level:
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += bool(containers)
        if depth > DEPTH_MAX:
            raise MalformedJson(why=_("it is nested more than 8 levels deep"))
        level = [
            inner
            for item in containers
            for inner in (item.values() if isinstance(item, dict) else item)
        ]


class StrictJSONParser(BaseParser):
    """The same rules for a plain DRF view, which asks for `request.data`."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return read_json(parser_context["request"]._request)
