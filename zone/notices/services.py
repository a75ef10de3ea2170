"""Writing a notice, and marking what was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.template.loader import get_template
from django.utils.http import url_has_allowed_host_and_scheme

from zone.core import clock
from zone.core.ids import uuid7
from zone.notices.models import Notice


@dataclass(frozen=True, slots=True)
class Message:
    """What `write_notice` is told, for many at once."""

    member_id: int
    kind: str
    facts: dict[str, Any]
    link: str = ""
    dedupe_key: str = ""


def write_notice(
    *,
    member_id: int,
    kind: str,
    facts: dict[str, Any],
    link: str = "",
    dedupe_key: str = "",
    at: datetime | None = None,
) -> None:
    """Put a notice into a member's inbox, in the caller's transaction.

    Safe to repeat with a `dedupe_key`: the first notice of a member under that key stays, a later
    one is dropped. `facts` are plain JSON values: instants as ISO 8601 text, money as minor units
    with a currency, a name that differs by language as `{"en": ..., "zh-hans": ...}`.

    Raises ValueError for a link that leaves this site, TemplateDoesNotExist for a kind without
    words: both are mistakes of the caller, found by its first test.
    """
    write_notices([Message(member_id, kind, facts, link, dedupe_key)], at=at)


def write_notices(messages: Sequence[Message], *, at: datetime | None = None) -> None:
    """`write_notice` for each of many, in one statement."""
    written_at = at or clock.now()
    notices = [
        Notice(
            id=uuid7(written_at),
            member_id=message.member_id,
            kind=message.kind,
            facts=message.facts,
            link=message.link,
            dedupe_key=message.dedupe_key,
            created_at=written_at,
        )
        for message in messages
    ]
    for link in {message.link for message in messages if message.link}:
        if not (link.startswith("/") and url_has_allowed_host_and_scheme(link, None)):
            raise ValueError(f"{link!r} is not a path of ours")
    for template_name in {notice.template_name for notice in notices}:
        get_template(template_name)
    Notice.objects.bulk_create(notices, ignore_conflicts=True)


def mark_read(*, member_id: int, notice_id: UUID) -> None:
    """One notice is read. Safe to repeat: the first reading counts."""
    Notice.objects.filter(member_id=member_id, id=notice_id, read_at=None).update(
        read_at=clock.now()
    )


def mark_all_read(*, member_id: int, up_to: UUID) -> int:
    """Everything up to and including `up_to` is read; what arrived after it stays unread."""
    return Notice.objects.filter(member_id=member_id, id__lte=up_to, read_at=None).update(
        read_at=clock.now()
    )
