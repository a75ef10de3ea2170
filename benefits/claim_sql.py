"""The one place that calls this room's SQL functions, but for those of a rush (`rush_sql.py`)."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from benefits.models import Benefit, Claim, Code, CodeBatch
from credits.kinds import Counter
from zone.core.rows import RowReader, fetch_row

# SQLSTATEs of `take_claim.sql`, and two of PostgreSQL's own that mean "try again".
_REFUSALS = {
    "ZN001": "conflict",
    "ZN002": "sold_out",
    "ZN003": "pack_refused",
    "ZN004": "quota_full",
    "ZN005": "budget_exhausted",
    "55P03": "busy",  # lock_not_available
    "40P01": "busy",  # deadlock_detected
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What `take` did. `code` is ok, or the reason why nothing was written."""

    code: str
    claim_id: int | None = None
    opens_at: datetime | None = None
    allowed: int | None = None  # the member's limit when it is reached
    ledger_code: str | None = None
    available: int | None = None
    # What this operation made, now or at an earlier try, and its code when it was asked for.
    claim: Claim | None = None
    sealed: Code | None = None


def _call(statement: str, parameters: Sequence[Any] | dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()


_CLAIM = RowReader(Claim)
# No more than what opening a code needs.
_CODE = RowReader(Code, "id", "release_id", "slot", "batch_id", "sealed", "redeem_url_sealed")
_BATCH = RowReader(CodeBatch, "id", "key_sealed", "key_number", "old_key_sealed")
_TAKE = f"""
    SELECT (answer.taken).code, (answer.taken).claim_id, (answer.taken).opens_at,
           (answer.taken).allowed, (answer.taken).ledger_code, (answer.taken).available,
           {_CLAIM.columns("(answer.made)")}, {_CODE.columns("(answer.code)")},
           {_BATCH.columns("(answer.batch)")}
    FROM benefits_claim_now(
        %s::bigint, %s::bigint, %s::uuid, %s::text, %s::text, %s::smallint, %s::smallint,
        %s::bigint, %s::text, %s::jsonb, %s::integer, %s::text[], %s::boolean) answer
"""  # noqa: S608

_TAKE_PAID = f"""
    SELECT code, claim_id, opens_at, allowed, ledger_code, available
    FROM benefits_take_claim(
        %s::bigint, %s::bigint, %s::uuid, %s::text, %s::text, {Counter.BENEFITS:d}::smallint,
        {Counter.CAMPAIGNS:d}::smallint, NULL, NULL, NULL, %s::integer, %s::text[], false, true)
"""  # noqa: S608


def take(
    *,
    member_id: int,
    release_id: int,
    op_id: UUID,
    public_id: str,
    actor: str,
    counter: int,
    pack_counter: int,
    partner_id: int | None,
    external_id: str | None,
    metadata: dict[str, str] | None,
    price: int | None = None,
    tiers: Sequence[str] | None = None,
    reveals: bool = False,
) -> Taken:
    """Take one unit of a release in one round trip; everything or nothing.

    Inside a caller's transaction a refusal rolls back to a savepoint; outside one, the call is a
    transaction of its own. With `price` the claim is refused when the member's price is another.
    `tiers` are those the member has reached, the highest last; without them a benefit that asks
    for a tier answers `tier_needed`. With `reveals` a code in hand is shown, sealed, in the commit
    that grants it.
    """
    parameters = [
        member_id, release_id, op_id, public_id, actor, counter, pack_counter, partner_id,
        external_id, None if metadata is None else json.dumps(metadata), price,
        None if tiers is None else list(tiers), reveals,
    ]  # fmt: skip
    row = _refusable(_TAKE, parameters)
    return Taken(code=row) if isinstance(row, str) else _build_taken(row)


def take_paid(
    *,
    member_id: int,
    release_id: int,
    op_id: UUID,
    public_id: str,
    actor: str,
    price: int,
    tiers: Sequence[str] | None = None,
) -> Taken:
    """`take` in a transaction in which others have paid `price`: its owner is charged nothing."""
    row = _refusable(
        _TAKE_PAID,
        [member_id, release_id, op_id, public_id, actor, price, tiers and list(tiers)],
    )
    return Taken(code=row) if isinstance(row, str) else Taken(*row)


def _refusable(statement: str, parameters: Sequence[Any]) -> Sequence[Any] | str:
    """The one row of a statement, or the code of the refusal that it raised."""
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            row = fetch_row(statement, parameters)
    except DatabaseError as error:
        code = _REFUSALS.get(getattr(error.__cause__, "sqlstate", ""))
        if code is None:
            raise
        return code
    assert row is not None  # noqa: S101  The functions answer with one row, always.
    return row


def _build_taken(row: Sequence[Any]) -> Taken:
    claim_at, code_at = 6, 6 + _CLAIM.width
    batch_at = code_at + _CODE.width
    claim = code = None
    if row[claim_at] is not None:
        claim = _CLAIM.build(row[claim_at:code_at])
    if row[code_at] is not None:
        code = _CODE.build(row[code_at:batch_at])
        code.batch = _BATCH.build(row[batch_at:])
    return replace(Taken(*row[:claim_at]), claim=claim, sealed=code)


def lock_bundles(*, benefit_id: int, member_id: int) -> None:
    """This member's claims of the choices that hold a benefit wait for the caller's commit."""
    _call("SELECT benefits_lock_bundles(%s, %s)", [benefit_id, member_id])


def has_slot(*, release_id: int, member_id: int, now: datetime) -> bool:
    """Whether this member could have a slot of the release now. Reads only."""
    return bool(_call("SELECT benefits_has_slot(%s, %s, %s)", [release_id, member_id, now])[0])


def let_go(*, claim_id: int, now: datetime) -> bool:
    """The claim's unseen slot goes back to its release. False when there was none to let go."""
    return bool(_call("SELECT benefits_let_go(%s, %s)", [claim_id, now])[0])


def valid_until(
    *, at: datetime, zone: str, days: int | None, cap: datetime | None, code_ends_on: Any
) -> datetime | None:
    """The last instant of use; the same arithmetic as for a claim with its code in hand."""
    row = _call(
        "SELECT benefits_valid_until(%s, %s, %s, %s, %s::date)",
        [at, zone, days, cap, code_ends_on],
    )
    ends_at: datetime | None = row[0]
    return ends_at


def life(at: datetime, zone: str, benefit: Benefit) -> tuple[datetime, datetime | None]:
    """The first and the last instant of use of what is granted at `at` without a code in hand.

    The same arithmetic as for a claim with one.
    """
    begins_at, ends_at = _call(
        "SELECT benefits_valid_from(%(at)s, %(zone)s, %(wait)s, %(beginning)s),"
        " benefits_valid_until(%(at)s, %(zone)s, %(days)s, %(cap)s, NULL)",
        {
            "at": at,
            "zone": zone,
            "wait": benefit.usable_after_days,
            "beginning": benefit.usable_from,
            "days": benefit.valid_days,
            "cap": benefit.usable_until,
        },
    )
    return begins_at, ends_at


def lease_claims(
    *, limit: int, lease: timedelta, share: int, rooms: dict[int, int]
) -> dict[int, int]:
    """Waiting claims that are ours until the lease ends, each with its count of attempts.

    Of each provider at most `share`, or as many as `rooms` has for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim_id, attempts FROM benefits_lease_fairly("
            "%s, make_interval(secs => %s), %s, %s::bigint[], %s::integer[])",
            [limit, lease.total_seconds(), share, list(rooms), list(rooms.values())],
        )
        return dict(cursor.fetchall())


def lease_suspect(*, lease: timedelta) -> int | None:
    """One claim that outlived two who held it, now ours until the lease ends; None without one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim_id FROM benefits_lease_suspect(make_interval(secs => %s))",
            [lease.total_seconds()],
        )
        row = cursor.fetchone()
        return row[0] if row else None


def join_line(*, release_id: int, member_id: int) -> str:
    """A place in the line of a sold-out release: ok, already or not_sold_out."""
    return str(_call("SELECT benefits_join_line(%s, %s)", [release_id, member_id])[0])


def end_place(*, entry_id: int, state: str, now: datetime) -> bool:
    """An open place ends; what was held for it goes to the next. False when it had ended."""
    return bool(_call("SELECT benefits_end_place(%s, %s, %s)", [entry_id, state, now])[0])


def sweep_line(*, limit: int) -> int:
    """Offers whose time is over pass on; how many places ended."""
    return int(_call("SELECT benefits_sweep_line(%s)", [limit])[0])


def next_slot(*, release_id: int, op_id: UUID, now: datetime) -> int | None:
    """The next slot of a release, taken in the caller's transaction; None when it has none."""
    row = _call("SELECT benefits_next_slot(%s, %s, %s)", [release_id, op_id, now])
    slot: int | None = row[0]
    return slot


def count_replacement(*, first_id: int, claim_id: int) -> bool:
    """A replacement counts in place of the claim it replaces; False when no budget can bear it."""
    return bool(_call("SELECT benefits_count_replacement(%s, %s)", [first_id, claim_id])[0])


def hold_slot(
    *, release_id: int, member_id: int, op_id: UUID, until: datetime
) -> tuple[str, int | None]:
    """A unit held for a member: ok, already_held or sold_out, and the place that holds it."""
    row = _call(
        "SELECT v_code, v_entry FROM benefits_hold_slot(%s, %s, %s, %s)",
        [release_id, member_id, op_id, until],
    )
    return row[0], row[1]


def extend_hold(*, entry_id: int, until: datetime) -> datetime | None:
    """A unit held for longer; until when, or None when it is not held any more."""
    ends_at: datetime | None = _call("SELECT benefits_extend_hold(%s, %s)", [entry_id, until])[0]
    return ends_at


def settle_endings(*, limit: int, actor: str) -> list[int]:
    """Settle claims whose end has come; their keys."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT benefits_settle_endings(%s, %s)", [limit, actor])
        return [row[0] for row in cursor.fetchall()]


def hold_for_line(
    *, release_id: int, first: int, last: int, sells_until: datetime | None, now: datetime
) -> int:
    """New slots from `first` on, at most to `last`, one for each who waits; how many were held.

    Nobody joins the line between this count and the caller's commit.
    """
    _call("SELECT benefits_lock_line(%s)", [release_id])
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO benefits_returnedslot (release_id, slot, sells_until, returned_at)
            SELECT %s, slot, %s, %s
            FROM generate_series(%s, %s) AS slot
            LIMIT (SELECT count(*) FROM benefits_waitlistentry
                   WHERE release_id = %s AND state = 'waiting')
            """,
            [release_id, sells_until, now, first, last, release_id],
        )
        return int(cursor.rowcount)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a provider's yes changes on a waiting claim."""

    claim_id: int
    reference: str
    valid_from: datetime
    valid_until: datetime | None


def grant_waiting(granted: Sequence[Granted], *, now: datetime) -> set[int]:
    """Waiting claims are granted; the keys of those that were still waiting."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE benefits_claim claim SET state = 'granted', provider_status = 'issued',"
            " provider_reference = given.reference, next_attempt_at = NULL, lease_until = NULL,"
            " granted_at = %s, updated_at = %s, valid_from = given.valid_from,"
            " valid_until = given.valid_until"
            " FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[])"
            " AS given (id, reference, valid_from, valid_until)"
            " WHERE claim.id = given.id AND claim.state = 'reserved' RETURNING claim.id",
            [
                now,
                now,
                [row.claim_id for row in granted],
                [row.reference for row in granted],
                [row.valid_from for row in granted],
                [row.valid_until for row in granted],
            ],
        )
        return {row[0] for row in cursor.fetchall()}
