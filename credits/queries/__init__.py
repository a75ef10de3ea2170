"""Reading the books: balance, schedule of expiry, statement."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from credits.kinds import AccountStatus, Counter, Kind
from zone.core.clock import database_now
from zone.core.ids import public_id_of
from zone.members.models import Member

STATEMENT_PAGE = 30  # entries


@dataclass(frozen=True, slots=True)
class Expiring:
    """Credits that end on one day."""

    amount: int
    expires_on: date


@dataclass(frozen=True, slots=True)
class Balance:
    """Where a member stands at `as_of`. The amounts of `expiring` add up to `available`."""

    available: int
    held: int
    debt: int
    expiring: list[Expiring]
    status: AccountStatus
    as_of: datetime

    @property
    def is_frozen(self) -> bool:
        return self.status == AccountStatus.FROZEN


_BALANCE = """
    SELECT a.status, a.available, a.held, a.debt, public.zone_now(),
           ledger.month_number(ledger.today(a.zone)) * 2,
           array(SELECT ledger.expires_on(k.key) FROM unnest(a.bucket_keys) WITH ORDINALITY
                 k (key, place) ORDER BY k.place),
           a.bucket_keys, a.bucket_left
    FROM ledger.account a WHERE a.member_id = %s
"""


def get_balance(member: Member | int) -> Balance:
    """A member's live balance: one row read, lapsed credits left out whether settled or not."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCE, [_key(member)])
        row = cursor.fetchone()
    if row is None:
        return Balance(0, 0, 0, [], AccountStatus.OPEN, database_now())
    status, available, held, debt, as_of, floor, days, keys, amounts = row
    by_day: dict[date, int] = {}
    for day, key, amount in zip(days, keys, amounts, strict=True):
        if key < floor:
            available -= amount
        else:
            by_day[day] = by_day.get(day, 0) + amount
    return Balance(
        available=available,
        held=held,
        debt=debt,
        expiring=[Expiring(amount, day) for day, amount in by_day.items()],
        status=AccountStatus(status),
        as_of=as_of,
    )


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line of a statement."""

    member_id: int
    op_id: UUID
    seq: int
    kind: Kind
    counter: int
    available_change: int
    held_change: int
    debt_change: int
    available_after: int
    held_after: int
    debt_after: int
    posted_at: datetime
    occurred_at: datetime | None
    orig_op: UUID | None
    alloc: list[int]
    reason: str
    related: str

    @property
    def public_id(self) -> str:
        return public_id_of("cen", self.op_id)

    @property
    def amount(self) -> int:
        """Signed for reading, as a member feels it; a capture shows what it took for good."""
        if self.kind == Kind.CAPTURE:
            return self.available_change + self.held_change - self.debt_change
        return self.available_change - self.debt_change

    @property
    def repaid(self) -> int:
        """How much of it went into repaying debt."""
        return max(0, -self.debt_change)

    @property
    def expires_on(self) -> date | None:
        """When earned credits end; None for everything else."""
        if self.kind not in (Kind.EARN, Kind.ADJUST) or self.available_change <= 0:
            return None
        return expiry_of(self.alloc[0])

    @property
    def counter_name(self) -> str:
        return Counter(self.counter).name.lower()


def expiry_of(bucket_key: int) -> date:
    """The last day of a bucket's month; the key is (months since January 2000) * 2 + funding."""
    following = bucket_key // 2 + 1
    return date.fromordinal(date(2000 + following // 12, following % 12 + 1, 1).toordinal() - 1)


_COLUMNS = (
    "member_id, op_id, seq, kind, counter, available_change, held_change, debt_change, "
    "available_after, held_after, debt_after, posted_at, occurred_at, orig_op, alloc, reason, related"
)


def list_entries(
    member: Member | int,
    *,
    before: int | None = None,
    kinds: Iterable[Kind] = (),
    posted_after: datetime | None = None,
    posted_before: datetime | None = None,
    limit: int = STATEMENT_PAGE,
) -> list[EntryLine]:
    """Newest entries first, by `seq`; `before` is the last seq of the page above.

    `posted_after` is inclusive, `posted_before` is not.
    """
    numbers = [int(kind) for kind in kinds]
    is_plain = not numbers and posted_after is None and posted_before is None
    if is_plain and (lines := _newest(_key(member), before, limit)) is not None:
        return lines
    where = "member_id = %s"
    values: list[Any] = [_key(member)]
    if before is not None:
        where, values = f"{where} AND seq < %s", [*values, before]
    if numbers:
        where, values = f"{where} AND kind = ANY(%s::smallint[])", [*values, numbers]
    if posted_after is not None:
        where, values = f"{where} AND posted_at >= %s", [*values, posted_after]
    if posted_before is not None:
        where, values = f"{where} AND posted_at < %s", [*values, posted_before]
    return _read(f"WHERE {where} ORDER BY seq DESC LIMIT %s", [*values, limit])


def _newest(member_id: int, before: int | None, limit: int) -> list[EntryLine] | None:
    """The first page by the journal's own key, newest month first, when that is surely right.

    Operation ids rise with time but an import may carry an old one, so the page counts only when
    its seqs have no gap up to the account's own.
    """
    if before is not None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM ledger.account WHERE member_id = %s", [member_id])
        row = cursor.fetchone()
    if row is None:
        return []
    lines = _read("WHERE member_id = %s ORDER BY op_id DESC LIMIT %s", [member_id, limit + 10])
    lines.sort(key=lambda line: -line.seq)
    page = lines[:limit]
    expected = list(range(row[0], max(0, row[0] - limit), -1))
    return page if [line.seq for line in page] == expected else None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stood between two entries; `seq` is the last entry's."""

    available: int = 0
    held: int = 0
    debt: int = 0
    seq: int = 0


def list_days(member: Member | int, first: date, after: date) -> list[EntryLine]:
    """Entries of the business days from `first` up to but not including `after`, oldest first.

    A member's business day never goes back, so neighbouring spans join without a gap.
    """
    return _read(
        "WHERE member_id = %s AND day >= %s AND day < %s ORDER BY seq",
        [_key(member), first, after],
    )


def get_standing(member: Member | int, before: date) -> Standing:
    """Where a member stood when that day began."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT available_after, held_after, debt_after, seq FROM ledger.entry"
            " WHERE member_id = %s AND day < %s ORDER BY seq DESC LIMIT 1",
            [_key(member), before],
        )
        row = cursor.fetchone()
    return Standing(*row) if row else Standing()


def find_entry(member: Member | int, op_id: UUID) -> EntryLine | None:
    """One entry of a member, or None."""
    lines = _read("WHERE member_id = %s AND op_id = %s", [_key(member), op_id])
    return lines[0] if lines else None


def list_operation(op_id: UUID) -> list[EntryLine]:
    """The entries of one operation, whoever's they are; found by the journal's block ranges."""
    return _read("WHERE op_id = %s", [op_id])


def _read(clauses: str, values: list[Any]) -> list[EntryLine]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM ledger.entry {clauses}", values)  # noqa: S608
        return [EntryLine(row[0], row[1], row[2], Kind(row[3]), *row[4:]) for row in cursor]


def _key(member: Member | int) -> int:
    return member if isinstance(member, int) else member.pk
