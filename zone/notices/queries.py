"""Reading the inbox."""

from uuid import UUID

from zone.notices.models import Notice

PAGE_SIZE = 20
# The bell shows "9+" beyond this; counting further would cost and tell nothing.
_COUNT_MAX = 10


def count_unread(member_id: int) -> int:
    """How many notices wait, at most 10."""
    return Notice.objects.filter(member_id=member_id, read_at=None)[:_COUNT_MAX].count()


def list_notices(
    member_id: int, *, before: UUID | None = None, limit: int = PAGE_SIZE
) -> list[Notice]:
    """A member's notices, newest first, those older than `before` when it is given."""
    notices = Notice.objects.filter(member_id=member_id).order_by("-id")
    if before is not None:
        notices = notices.filter(id__lt=before)
    return list(notices[:limit])


def find_notice(member_id: int, notice_id: UUID) -> Notice | None:
    return Notice.objects.filter(member_id=member_id, id=notice_id).first()
