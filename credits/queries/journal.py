"""Reading the journal: one line of it, and where a member stood."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from credits.kinds import Counter, Kind
from zone.core.ids import public_id_of
from zone.members.models import Member


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


LINE_COLUMNS = (
    "member_id, op_id, seq, kind, counter, available_change, held_change, debt_change, "
    "available_after, held_after, debt_after, posted_at, occurred_at, orig_op, alloc, reason, related"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stood between two entries; `seq` is the last entry's."""

    available: int = 0
    held: int = 0
    debt: int = 0
    seq: int = 0


def get_standing(member: Member | int, before: date) -> Standing:
    """Where a member stood when that day began."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT available_after, held_after, debt_after, seq FROM ledger.entry"
            " WHERE member_id = %s AND day < %s ORDER BY seq DESC LIMIT 1",
            [key_of(member), before],
        )
        row = cursor.fetchone()
    return Standing(*row) if row else Standing()


def find_entry(member: Member | int, op_id: UUID) -> EntryLine | None:
    """One entry of a member, or None."""
    lines = read_lines("WHERE member_id = %s AND op_id = %s", [key_of(member), op_id])
    return lines[0] if lines else None


def list_operation(op_id: UUID) -> list[EntryLine]:
    """The entries of one operation, whoever's they are; found by the journal's block ranges."""
    return read_lines("WHERE op_id = %s", [op_id])


def read_lines(clauses: str, values: list[Any]) -> list[EntryLine]:
    """The lines that these clauses choose."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {LINE_COLUMNS} FROM ledger.entry {clauses}", values)  # noqa: S608
        return [EntryLine(row[0], row[1], row[2], Kind(row[3]), *row[4:]) for row in cursor]


def key_of(member: Member | int) -> int:
    return member if isinstance(member, int) else member.pk
