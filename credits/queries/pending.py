"""Credits that are promised and not earned yet."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class Pending:
    """`amount` credits that a member will have at `matures_at`."""

    op_id: UUID
    amount: int
    matures_at: datetime
    related: str


_PENDING = """
    SELECT op_id, amount - taken, matures_at, related FROM ledger.pending_earn
    WHERE member_id = %s AND state = 0 ORDER BY matures_at, op_id
"""


def list_pending(member_id: int) -> list[Pending]:
    """A member's promises, the next one first."""
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, [member_id])
        return [Pending(*row) for row in cursor]


def find_pending(member_id: int, op_id: UUID | None) -> Pending | None:
    """The promise under one operation, while it waits."""
    return next((each for each in list_pending(member_id) if each.op_id == op_id), None)
