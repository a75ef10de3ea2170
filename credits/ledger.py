"""The verbs of the ledger, one round trip each.

Every verb takes an `op_id`, a UUIDv7 the caller made and keeps through retries: the same member and
op_id post once, and a repeat returns the first result with `is_replay`. A refusal raises a
`LedgerError` and has written nothing. Each verb joins the caller's transaction, if there is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection

from credits import errors
from credits.kinds import AccountStatus, Counter, Funding
from credits.refusals import error_of

AMOUNT_MAX = 2**31 - 1
BATCH_MAX = 500  # earns in one call
# A lock that did not come, a deadlock, a transaction that could not be put in line: nothing was
# written, and the same operation may be asked for again.
_TRY_AGAIN = frozenset({"55P03", "40P01", "40001"})


@dataclass(frozen=True, slots=True)
class Result:
    """What was posted, and where the member stands after it."""

    code: str
    op_id: UUID
    amount: int
    available: int
    held: int
    debt: int
    seq: int
    expires_on: date | None
    posted_at: datetime

    @property
    def is_replay(self) -> bool:
        return self.code == "replayed"


@dataclass(frozen=True, slots=True)
class Earn:
    """One earn of a batch."""

    member_id: int
    op_id: UUID
    amount: int
    until: date | None = None
    funding: Funding = Funding.PROMOTIONAL
    counter: Counter = Counter.PURCHASES
    reason: str = ""
    related: str = ""
    occurred_at: datetime | None = None
    posted_at: datetime | None = None


def earn(
    *,
    member_id: int,
    op_id: UUID,
    amount: int,
    until: date | None = None,
    funding: Funding = Funding.PROMOTIONAL,
    counter: Counter = Counter.PURCHASES,
    reason: str = "",
    related: str = "",
    occurred_at: datetime | None = None,
    posted_at: datetime | None = None,
) -> Result:
    """Give credits that last to the end of `until`'s month; twelve months when absent.

    Debt is repaid first. `posted_at` records the past (imports): it must follow every entry the
    member has.

    Raises InvalidAmount, InvalidUntil, UnknownMember, MemberFrozen, AccountClosed, BalanceTooLarge,
    OutOfOrder, OperationConflict, ClosedLoop.
    """
    amount = _whole(amount)
    if _is_closed_loop(related):
        raise errors.ClosedLoop(related=related)
    return call_verb(
        "earn",
        [
            _member(member_id), _op(op_id), amount, until, int(funding), int(counter),
            reason, related, occurred_at, posted_at,
        ],
        "bigint, uuid, int, date, smallint, smallint, text, text, timestamptz, timestamptz",
    )  # fmt: skip


def earn_batch(
    earns: Sequence[Earn], *, is_owed: bool = False
) -> list[Result | errors.LedgerError]:
    """Post many earns in one call; one result or refusal for each, in the order given.

    Two batches at once do not deadlock: members are taken in rising order. What `is_owed` (credits
    for a purchase made) is posted to frozen accounts too. Raises InvalidAmount
    before anything is written when the list itself is malformed or longer than `BATCH_MAX`.
    """
    if len(earns) > BATCH_MAX:
        raise ValueError(f"a batch holds at most {BATCH_MAX} earns")
    answers: list[Result | errors.LedgerError] = [
        errors.ClosedLoop(related=earn.related) for earn in earns
    ]
    places = [n for n, earn in enumerate(earns) if not _is_closed_loop(earn.related)]
    earns = [earns[n] for n in places]
    columns: list[list[Any]] = [
        [_member(e.member_id) for e in earns],
        [_op(e.op_id) for e in earns],
        [_whole(e.amount) for e in earns],
        [e.until for e in earns],
        [int(e.funding) for e in earns],
        [int(e.counter) for e in earns],
        [e.reason for e in earns],
        [e.related for e in earns],
        [e.occurred_at for e in earns],
        [e.posted_at for e in earns],
    ]
    if not earns:
        return answers
    rows = _fetch(
        "SELECT * FROM ledger.earn_batch(%s::bigint[], %s::uuid[], %s::int[], %s::date[],"
        " %s::smallint[], %s::smallint[], %s::text[], %s::text[], %s::timestamptz[],"
        " %s::timestamptz[], %s::boolean) ORDER BY place",
        [*columns, is_owed],
    )
    for place, asked, row in zip(places, earns, rows, strict=True):
        try:
            answers[place] = _answer(row[1:], asked.amount)
        except errors.LedgerError as refusal:
            answers[place] = refusal
    return answers


def spend(
    *,
    member_id: int,
    op_id: UUID,
    amount: int,
    counter: Counter = Counter.BENEFITS,
    reason: str = "",
    related: str = "",
    posted_at: datetime | None = None,
) -> Result:
    """Take credits for good: soonest end first, then promotional before paid.

    Raises InsufficientCredits, MemberFrozen, AccountClosed, InvalidAmount, UnknownMember,
    OperationConflict.
    """
    amount = _whole(amount)
    return call_verb(
        "spend",
        [_member(member_id), _op(op_id), amount, int(counter), reason, related, posted_at],
        "bigint, uuid, int, smallint, text, text, timestamptz",
    )


def hold(
    *,
    member_id: int,
    op_id: UUID,
    amount: int,
    counter: Counter = Counter.BENEFITS,
    reason: str = "",
    related: str = "",
    expires_at: datetime | None = None,
    posted_at: datetime | None = None,
) -> Result:
    """Set credits aside until `capture` or `void`, or until `expires_at` when given.

    The hold is known by its op_id. Raises what `spend` raises.
    """
    amount = _whole(amount)
    return call_verb(
        "hold",
        [
            _member(member_id), _op(op_id), amount, int(counter), reason, related,
            expires_at, posted_at,
        ],
        "bigint, uuid, int, smallint, text, text, timestamptz, timestamptz",
    )  # fmt: skip


def capture(*, member_id: int, hold_op: UUID, op_id: UUID, amount: int | None = None) -> Result:
    """Take all of a hold, or `amount` of it; the rest returns in the same entry.

    Raises HoldNotFound, HoldNotOpen, HoldExpired, AmountExceedsHold, InvalidAmount.
    """
    if amount is not None:
        amount = _whole(amount)
    return call_verb(
        "capture",
        [_member(member_id), _op(hold_op), _op(op_id), amount],
        "bigint, uuid, uuid, int",
    )


def void(*, member_id: int, hold_op: UUID, op_id: UUID) -> Result:
    """Give all of a hold back; what belonged to a lapsed bucket expires at once.

    Raises HoldNotFound, HoldNotOpen.
    """
    return call_verb("void", [_member(member_id), _op(hold_op), _op(op_id)], "bigint, uuid, uuid")


def refund(
    *,
    member_id: int,
    op_id: UUID,
    orig_op: UUID,
    amount: int,
    reason: str = "",
    related: str | None = None,
) -> Result:
    """Give a spend or a capture back, wholly or in part, to the buckets it came from.

    Raises OriginalNotFound, AmountExceedsOriginal, InvalidAmount, AccountClosed.
    """
    amount = _whole(amount)
    return call_verb(
        "refund",
        [_member(member_id), _op(op_id), _op(orig_op), amount, reason, related],
        "bigint, uuid, uuid, int, text, text",
    )


def clawback(
    *,
    member_id: int,
    op_id: UUID,
    orig_op: UUID,
    amount: int,
    reason: str = "",
    related: str | None = None,
    occurred_at: datetime | None = None,
    posted_at: datetime | None = None,
) -> Result:
    """Take back what an earn gave; what is no longer there becomes debt.

    Raises OriginalNotFound, AmountExceedsOriginal, InvalidAmount.
    """
    amount = _whole(amount)
    return call_verb(
        "clawback",
        [
            _member(member_id), _op(op_id), _op(orig_op), amount, reason, related,
            occurred_at, posted_at,
        ],
        "bigint, uuid, uuid, int, text, text, timestamptz, timestamptz",
    )  # fmt: skip


def adjust(
    *,
    member_id: int,
    op_id: UUID,
    amount: int,
    until: date | None = None,
    funding: Funding = Funding.PROMOTIONAL,
    counter: Counter = Counter.ADJUSTMENTS,
    reason: str = "",
    related: str = "",
) -> Result:
    """Correct a balance by `amount`, up or down; down stops at what is available.

    Raises what `earn` and `spend` raise, except MemberFrozen.
    """
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < abs(amount) <= AMOUNT_MAX:
        raise errors.InvalidAmount(amount=amount)
    return call_verb(
        "adjust",
        [
            _member(member_id), _op(op_id), amount, until, int(funding), int(counter),
            reason, related,
        ],
        "bigint, uuid, int, date, smallint, smallint, text, text",
    )  # fmt: skip


def freeze(*, member_id: int, reason: str, actor: str) -> bool:
    """Stop earning, spending and holding; reading, captures, refunds and corrections go on.

    True when something changed. Raises UnknownMember, AccountClosed.
    """
    return _set_status(member_id, AccountStatus.FROZEN, reason, actor)


def thaw(*, member_id: int, reason: str, actor: str) -> bool:
    """Undo a freeze. True when something changed. Raises UnknownMember, AccountClosed."""
    return _set_status(member_id, AccountStatus.OPEN, reason, actor)


def close(*, member_id: int, reason: str, actor: str) -> bool:
    """Close an empty account for good. Raises UnknownMember, AccountNotEmpty."""
    return _set_status(member_id, AccountStatus.CLOSED, reason, actor)


def reopen(*, member_id: int, reason: str, actor: str) -> bool:
    """Open a closed account again, empty. True when something changed. Raises UnknownMember."""
    code: str = _fetch(
        "SELECT ledger.reopen(%s::bigint, %s::text, %s::text)", [_member(member_id), reason, actor]
    )[0][0]
    if code in ("ok", "unchanged"):
        return code == "ok"
    raise error_of(code)


def expire_batch(limit: int = 1000) -> int:
    """Settle up to `limit` passed month ends of members; 0 when there is nothing left to do."""
    count: int = _fetch("SELECT ledger.expire_batch(%s)", [limit])[0][0]
    return count


def lapse_holds(limit: int = 500) -> int:
    """Return holds past their time, up to `limit`; says how many."""
    count: int = _fetch("SELECT ledger.lapse_holds(%s)", [limit])[0][0]
    return count


def make_partitions(first: date, last: date) -> int:
    """Make the journal's missing months between two days; says how many were made."""
    count: int = _fetch("SELECT ledger.make_partitions(%s, %s)", [first, last])[0][0]
    return count


# --- From Python to SQL and back ----------------------------------------------------------------


def _whole(amount: object) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount <= AMOUNT_MAX:
        raise errors.InvalidAmount(amount=amount)
    return amount


def _member(member_id: object) -> int:
    if isinstance(member_id, bool) or not isinstance(member_id, int):
        raise errors.UnknownMember(member_id=member_id)
    if not 0 < member_id < 2**63:
        raise errors.UnknownMember(member_id=member_id)
    return member_id


def _is_closed_loop(related: str) -> bool:
    """Whether an earn would be for a claim, which credits may have paid for."""
    return related.startswith("clm_")


def _op(op_id: object) -> UUID:
    if not isinstance(op_id, UUID) or op_id.version != 7:
        raise errors.InvalidOperation(op_id=op_id)
    return op_id


def _fetch(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") in _TRY_AGAIN:
            raise errors.LedgerBusy from error
        raise


def call_verb(verb: str, values: list[Any], types: str) -> Result:
    """Call one verb's function. Raises the LedgerError it answers with."""
    marks = ", ".join(f"%s::{kind.strip()}" for kind in types.split(","))
    amount = next((v for v in values[2:] if isinstance(v, int)), 0)
    row = _fetch(f"SELECT * FROM ledger.{verb}({marks})", values)[0]  # noqa: S608
    return _answer(row, amount)


def _answer(row: tuple[Any, ...], asked: int) -> Result:
    result = Result(*row)
    if result.code in ("ok", "replayed"):
        return result
    asked = abs(asked or result.amount or 0)
    raise error_of(result.code, available=result.available or 0, asked=asked)


def _set_status(member_id: int, status: AccountStatus, reason: str, actor: str) -> bool:
    code: str = _fetch(
        "SELECT ledger.set_status(%s::bigint, %s::smallint, %s::text, %s::text)",
        [_member(member_id), int(status), reason, actor],
    )[0][0]
    if code in ("ok", "unchanged"):
        return code == "ok"
    raise error_of(code)
