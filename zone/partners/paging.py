"""Lists: newest first, a signed cursor bound to the filters, no totals."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from zone.core import vault
from zone.partners.errors import InvalidCursor
from zone.partners.fields import InstantField, StrictSerializer

LIMIT_DEFAULT = 20
LIMIT_MAX = 100
CURSOR_LIVES = timedelta(hours=24)
_LIMIT = re.compile(r"[1-9][0-9]?|100")
_SIGNER = "zone.partners.cursor"


class LimitField(serializers.IntegerField):
    """1 to 100, written plainly."""

    default_error_messages = {"invalid": _("limit is a whole number from 1 to 100.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"min_value": 1, "max_value": LIMIT_MAX, "default": LIMIT_DEFAULT, **options}
        )

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not _LIMIT.fullmatch(data):
            self.fail("invalid")
        return int(data)


class ListQuery(StrictSerializer):
    """The query parameters that every list takes; a list adds its own filters."""

    limit = LimitField(required=False, help_text="How many rows to answer with.")
    cursor = serializers.CharField(
        required=False,
        max_length=600,
        help_text="The `next_cursor` of the page before; good for 24 hours and the same filters.",
    )


class CreatedQuery(ListQuery):
    """A list that can be cut by creation time. The lower edge is inclusive."""

    created_after = InstantField(required=False)
    created_before = InstantField(required=False)


def filter_created(rows: QuerySet[Any], query: dict[str, Any]) -> QuerySet[Any]:
    """`rows` created within the edges that `query` names."""
    if "created_after" in query:
        rows = rows.filter(created_at__gte=query["created_after"])
    if "created_before" in query:
        rows = rows.filter(created_at__lt=query["created_before"])
    return rows


def list_page(
    rows: QuerySet[Any],
    *,
    query: dict[str, Any],
    owner: str,
    present: Callable[[list[Any]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """One page of `rows` as the API answers it. `owner` ties a cursor to caller and list.

    Keys rise with creation, so newest first is highest first. Rows inserted while a caller walks
    appear before the first page: they neither shift nor repeat anything. Raises InvalidCursor.
    """
    limit = query.get("limit", LIMIT_DEFAULT)
    filters = bind_filters(owner, query)
    if cursor := query.get("cursor"):
        rows = rows.filter(pk__lt=read_cursor(cursor, filters)[0])
    found = list(rows.order_by("-pk")[: limit + 1])
    page = found[:limit]
    last = [page[-1].pk] if len(found) > limit else None
    return list_answer(present(page), last=last, filters=filters)


def list_answer(data: list[Any], *, last: list[Any] | None, filters: str) -> dict[str, Any]:
    """The envelope of a list; `last` is the position after its final row when more follow."""
    return {
        "object": "list",
        "data": data,
        "has_more": last is not None,
        "next_cursor": write_cursor(last, filters) if last else None,
    }


def bind_filters(owner: str, query: dict[str, Any]) -> str:
    """A short keyed name for caller, list and filters; `limit` may change between pages."""
    chosen = sorted((k, str(v)) for k, v in query.items() if k not in {"limit", "cursor"})
    return vault.blind_index("cursor", f"{owner}:{chosen}").hex()[:16]


def write_cursor(position: list[Any], filters: str) -> str:
    signer = signing.TimestampSigner(sep=".", salt=_SIGNER)
    return signer.sign_object({"p": position, "f": filters})


def read_cursor(cursor: str, filters: str) -> list[Any]:
    """The position in a cursor of ours. Raises InvalidCursor."""
    signer = signing.TimestampSigner(sep=".", salt=_SIGNER)
    try:
        content = signer.unsign_object(cursor, max_age=CURSOR_LIVES)
    except (signing.BadSignature, ValueError) as error:
        raise InvalidCursor from error
    if content["f"] != filters:
        raise InvalidCursor
    position: list[Any] = content["p"]
    return position
