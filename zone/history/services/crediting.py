"""How the room above writes back what a charge earned and what a refund took.

History knows nothing of credits; it keeps three columns for whoever does, and writes each once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from zone.core.errors import ZoneError


@dataclass(frozen=True, slots=True)
class EarnedCharge:
    """`credits_earned` may be 0: looked at, and worth nothing. Then there is no operation."""

    charge_id: UUID
    credits_earned: int
    earn_op_id: UUID | None


@dataclass(frozen=True, slots=True)
class TakenRefund:
    refund_id: UUID
    credits_taken: int


class AlreadyCredited(ZoneError):
    """A row of the batch was credited by somebody else, or does not exist."""

    code = "already_credited"


_MARK_CHARGES = """
    UPDATE history_charge AS charge
       SET credited_at = %s, credits_earned = news.earned, earn_op_id = news.op_id
      FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[]) AS news (id, earned, op_id)
     WHERE charge.id = news.id AND charge.id = ANY (%s::uuid[]) AND charge.credited_at IS NULL
"""
_MARK_REFUNDS = """
    UPDATE history_refund AS refund
       SET credited_at = %s, credits_taken = news.taken
      FROM unnest(%s::uuid[], %s::bigint[]) AS news (id, taken)
     WHERE refund.id = news.id AND refund.credited_at IS NULL
"""


def mark_charges_credited(earned: Sequence[EarnedCharge], *, at: datetime) -> None:
    """Each charge carries what it earned, once.

    Call it in the transaction that posts the credits and read the charges with
    `list_uncredited_charges`: then both happen or neither does.

    Raises AlreadyCredited when any of them was marked before; the caller rolls back.
    """
    if not earned:
        return
    ids = [news.charge_id for news in earned]
    values = [news.credits_earned for news in earned]
    operations = [news.earn_op_id for news in earned]
    with connection.cursor() as cursor:
        # The ids twice: the second lets PostgreSQL leave other months' partitions alone.
        cursor.execute(_MARK_CHARGES, [at, ids, values, operations, ids])
        if cursor.rowcount != len(earned):
            raise AlreadyCredited(expected=len(earned), marked=cursor.rowcount)


def mark_refunds_credited(taken: Sequence[TakenRefund], *, at: datetime) -> None:
    """Each refund carries what it took back, once; as `mark_charges_credited` does."""
    if not taken:
        return
    ids = [news.refund_id for news in taken]
    values = [news.credits_taken for news in taken]
    with connection.cursor() as cursor:
        cursor.execute(_MARK_REFUNDS, [at, ids, values])
        if cursor.rowcount != len(taken):
            raise AlreadyCredited(expected=len(taken), marked=cursor.rowcount)
