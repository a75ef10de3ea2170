"""What a row's page is called: a name an operator can use, and no more than its list shows.

Most rows are called by a public id, a code or a name of their own. A row that has only a key is
called by the rows it belongs to: its member's public id says whose it is.
"""

from datetime import datetime
from typing import Any

from django.db.models import Model
from django.utils.formats import date_format
from django.utils.timezone import localtime

# The columns that name a row which has no name of its own; the console's lists show them all.
TITLES: dict[str, tuple[str, ...]] = {
    "benefits.membertag": ("member", "tag"),
    "benefits.providerending": ("claim",),
    "benefits.segmentevent": ("segment", "member", "at"),
    "benefits.stampswap": ("board", "claim"),
    "benefits.trial": ("service", "claim"),
    "console.auditevent": ("action", "object_name", "at"),
    "console.operatorsession": ("user", "started_at"),
    "credits.account": ("member",),
    "credits.checkin": ("member", "on"),
    "credits.freeze": ("member", "frozen_at"),
    "credits.keptaccount": ("member", "unlinked_at"),
    "credits.membertier": ("member", "tier"),
    "credits.missionprogress": ("mission", "member", "period_on"),
    "credits.referral": ("friend",),
    "credits.streak": ("member",),
    "members.erasure": ("member", "requested_at"),
    "members.membersession": ("member", "created_at"),
    "partners.idempotencyrecord": ("partner", "key"),
}


def title_of(row: Model) -> str:
    """The name of a row's page and of its place in the path above it."""
    columns = TITLES.get(row._meta.label_lower)
    if columns is None:
        return str(row)
    said = [_say(getattr(row, name)) for name in columns]
    return " · ".join(part for part in said if part)


def _say(value: Any) -> str:
    if isinstance(value, datetime):
        return date_format(localtime(value), "SHORT_DATETIME_FORMAT")
    return "" if value is None else str(value)
