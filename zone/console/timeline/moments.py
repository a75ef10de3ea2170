"""One member's life here as moments, newest first, from every room's tables.

Each kind of row is one source with a fixed place in the order, so moments of the same instant
always come in the same order and a page can start exactly after the last one shown.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

PAGE_SIZE = 50


@dataclass(frozen=True)
class Moment:
    """One line of a timeline. `detail` holds plain words; nothing here is secret."""

    at: datetime
    title: str
    detail: str = ""
    amount: str = ""
    link: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Source:
    """Rows of one table about one member: which column says when, and how a row reads."""

    code: str
    label: Any
    permission: str
    rows: Callable[[int], QuerySet[Any]]
    at: str
    tell: Callable[[Any], Moment]


@dataclass(frozen=True)
class Cursor:
    """Where the next page begins: after this row of this source."""

    at: datetime
    source: str
    key: str

    def encode(self) -> str:
        parts = json.dumps([self.at.isoformat(), self.source, self.key])
        return base64.urlsafe_b64encode(parts.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Line:
    """A moment with the source it came from."""

    moment: Moment
    source: Source


@dataclass(frozen=True)
class Page:
    lines: list[Line]
    next_cursor: str


def decode_cursor(text: str) -> Cursor | None:
    """The cursor written in `text`, or None when it is none of ours: the first page then."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        at, source, key = parts
        return Cursor(datetime.fromisoformat(at), str(source), str(key))
    except (ValueError, TypeError, binascii.Error):
        return None


def read_page(
    sources: list[Source], member_id: int, *, after: Cursor | None, size: int = PAGE_SIZE
) -> Page:
    """The next `size` moments: at most `size + 1` rows are read from each source, by its index."""
    order = {source.code: place for place, source in enumerate(sources)}
    found: list[tuple[datetime, int, Any, Source]] = []
    for source in sources:
        rows = source.rows(member_id).filter(**{f"{source.at}__isnull": False})
        if after is not None and after.source in order:
            rows = rows.filter(_follows(source, after, order))
        for row in rows.order_by(f"-{source.at}", "-pk")[: size + 1]:
            found.append((getattr(row, source.at), order[source.code], row, source))
    # Stable sort: rows of one source and one instant keep their order by descending key.
    found.sort(key=lambda each: (-each[0].timestamp(), each[1]))
    shown, has_more = found[:size], len(found) > size
    cursor = ""
    if has_more:
        at, _place, row, source = shown[-1]
        cursor = Cursor(at, source.code, str(row.pk)).encode()
    return Page([Line(source.tell(row), source) for _at, _place, row, source in shown], cursor)


def _follows(source: Source, after: Cursor, order: dict[str, int]) -> Q:
    place, shown = order[source.code], order[after.source]
    earlier = Q(**{f"{source.at}__lt": after.at})
    same = Q(**{source.at: after.at})
    if place < shown:
        return earlier
    if place > shown:
        return earlier | same
    return earlier | (same & Q(pk__lt=after.key))
