"""Verbs for credits that are promised first: one round trip each, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from credits.kinds import Counter
from credits.refusals import error_of


@dataclass(frozen=True, slots=True)
class Promise:
    """Credits that a member will have at `matures_at`, under the id their earn will carry."""

    member_id: int
    op_id: UUID
    amount: int
    matures_at: datetime
    counter: Counter
    reason: str
    related: str
    occurred_at: datetime


def promise_batch(promises: Sequence[Promise]) -> int:
    """Promise many earns. Safe to repeat: a promise that exists stays. Says how many were made."""
    if not promises:
        return 0
    columns: list[list[Any]] = [
        [each.member_id for each in promises],
        [each.op_id for each in promises],
        [each.amount for each in promises],
        [each.matures_at for each in promises],
        [int(each.counter) for each in promises],
        [each.reason for each in promises],
        [each.related for each in promises],
        [each.occurred_at for each in promises],
    ]
    count: int = _fetch(
        "SELECT ledger.promise_batch(%s::bigint[], %s::uuid[], %s::int[], %s::timestamptz[],"
        " %s::smallint[], %s::text[], %s::text[], %s::timestamptz[])",
        columns,
    )[0][0]
    return count


def cancel_pending(*, member_id: int, op_id: UUID, amount: int) -> int:
    """Take up to `amount` off a promise that still waits; says how much. The rest was earned."""
    count: int = _fetch(
        "SELECT ledger.cancel_pending(%s, %s, %s::int)", [member_id, op_id, amount]
    )[0][0]
    return count


def mature_batch(limit: int) -> list[int]:
    """Earn up to `limit` promises whose time has come; the members who earned. [] when done."""
    return [row[0] for row in _fetch("SELECT ledger.mature_batch(%s)", [limit])]


def clawback_available(
    *,
    member_id: int,
    op_id: UUID,
    orig_op: UUID,
    amount: int,
    reason: str,
    related: str,
    occurred_at: datetime,
) -> int:
    """Take back what is there, at most `amount`, and make no debt; says how much was taken.

    Raises what `ledger.clawback` raises.
    """
    code, _op, taken = _fetch(
        "SELECT code, op_id, amount FROM ledger.clawback_available("
        "%s::bigint, %s::uuid, %s::uuid, %s::int, %s::text, %s::text, %s::timestamptz)",
        [member_id, op_id, orig_op, amount, reason, related, occurred_at],
    )[0]
    if code == "nothing":
        return 0
    if code not in ("ok", "replayed"):
        raise error_of(code)
    return abs(int(taken))


def _fetch(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
