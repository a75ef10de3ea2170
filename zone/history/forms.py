"""What the address of a page may ask for. Nonsense in an address asks for nothing."""

import re
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from zone.core.ids import uuid_of
from zone.history.queries.activity import KINDS, ActivityFilter

TEXT_LETTERS_MAX = 80
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


def read_month(value: str | None) -> date | None:
    """2026-11 is the first of that November."""
    found = _MONTH.fullmatch(value or "")
    return date(int(found[1]), int(found[2]), 1) if found else None


def read_filter(query: QueryDict) -> ActivityFilter:
    kind = query.get("kind", "")
    text = " ".join(query.get("q", "").replace("\x00", "").split())[:TEXT_LETTERS_MAX]
    return ActivityFilter(
        kind=kind if kind in KINDS else "", text=text, month=read_month(query.get("month"))
    )


def write_filter(wanted: ActivityFilter, **changes: str) -> str:
    """The query string of a filter, with some parts changed; empty parts are left out."""
    parts = {
        "kind": wanted.kind,
        "q": wanted.text,
        "month": wanted.month.strftime("%Y-%m") if wanted.month else "",
    } | changes
    return urlencode({name: value for name, value in parts.items() if value})


def read_key(public_id: str, prefix: str) -> UUID | None:
    """The key inside a public id of that kind."""
    if not public_id.startswith(f"{prefix}_"):
        return None
    try:
        return uuid_of(public_id)
    except ValueError:
        return None
