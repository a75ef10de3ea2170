"""Writing a notice, and marking what was read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.template.loader import get_template
from django.utils.http import url_has_allowed_host_and_scheme

from zone.core import clock
from zone.core.ids import uuid7
from zone.notices.models import Notice


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
    if link and not (link.startswith("/") and url_has_allowed_host_and_scheme(link, None)):
        raise ValueError(f"{link!r} is not a path of ours")
    written_at = at or clock.now()
    notice = Notice(
        id=uuid7(written_at),
        member_id=member_id,
        kind=kind,
        facts=facts,
        link=link,
        dedupe_key=dedupe_key,
        created_at=written_at,
    )
    get_template(notice.template_name)
    Notice.objects.bulk_create([notice], ignore_conflicts=True)


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
