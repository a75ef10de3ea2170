"""A member's entries page by page, by the journal's own key.

The journal is kept by (member, operation), and read in the order of `seq`. Both rise together but
for operations whose id was made long before they were posted: a form kept open, an import. So a
page is read newest operation first, in pieces, until its seqs have no gap; a piece that holds an
older neighbour is only a longer walk, never a wrong page.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from credits.kinds import Kind
from credits.queries.journal import EntryLine, find_entry, key_of, read_lines
from zone.core.ids import uuid7
from zone.members.models import Member

PIECE_MIN = 20  # rows beyond the page, for operations out of turn
PIECE_MAX = 1000  # rows
# An operation id is at most ten minutes ahead of its posting; clocks of two servers may differ.
AHEAD = timedelta(minutes=15)
_LAST = UUID(int=2**128 - 1)


def list_entries(
    member: Member | int,
    *,
    before: UUID | None = None,
    kinds: Iterable[Kind] = (),
    posted_after: datetime | None = None,
    posted_before: datetime | None = None,
    limit: int = 30,
) -> list[EntryLine]:
    """Newest entries first, by `seq`; `before` is the operation of the last line of the page above.

    `posted_after` is inclusive, `posted_before` is not. An unknown `before` has nothing after it.
    """
    member_id = key_of(member)
    top, floor, bound = _start(member_id, before)
    wanted = _Wanted(frozenset(kinds), posted_after, posted_before)
    if before is None and posted_before is not None:
        top, floor, bound = _start_at(member_id, posted_before) or (top, floor, bound)
    page: list[EntryLine] = []
    waiting: dict[int, EntryLine] = {}
    for lines in _pieces(member_id, floor, bound, limit + PIECE_MIN, top):
        waiting |= {line.seq: line for line in lines if line.seq <= top}
        while (line := waiting.pop(top, None)) is not None:
            if wanted.is_past(line):
                return page
            if wanted.has(line):
                page.append(line)
            if len(page) == limit:
                return page
            top -= 1
        if top == 0:
            return page
    return page + _rest(member_id, top, wanted, limit - len(page)) if top else page


def _pieces(
    member_id: int, floor: UUID, bound: UUID, piece: int, top: int
) -> Iterator[list[EntryLine]]:
    """The journal below `floor` piece by piece, and after the first what is out of turn above it."""
    first = floor
    while True:
        lines = read_lines(
            "WHERE member_id = %s AND op_id < %s ORDER BY op_id DESC LIMIT %s",
            [member_id, floor, piece],
        )
        yield lines
        if floor == first and bound > first:
            # Posted later than their ids say: few rows come back.
            yield read_lines(
                "WHERE member_id = %s AND op_id >= %s AND op_id < %s AND seq <= %s",
                [member_id, first, bound, top],
            )
        if len(lines) < piece:
            return
        floor, piece = lines[-1].op_id, min(2 * piece, PIECE_MAX)


class _Wanted:
    """Which lines a list shows, and when it cannot have more."""

    def __init__(
        self, kinds: Collection[Kind], after: datetime | None, before: datetime | None
    ) -> None:
        self.kinds, self.after, self.before = kinds, after, before

    def has(self, line: EntryLine) -> bool:
        return (
            (not self.kinds or line.kind in self.kinds)
            and (self.after is None or line.posted_at >= self.after)
            and (self.before is None or line.posted_at < self.before)
        )

    def is_past(self, line: EntryLine) -> bool:
        """Postings follow one another but for the clocks of servers, which differ by little."""
        return self.after is not None and line.posted_at < self.after - AHEAD


def _start(member_id: int, before: UUID | None) -> tuple[int, UUID, UUID]:
    """The first seq to show, where to begin reading, and what its operation id is surely below."""
    if before is not None:
        line = find_entry(member_id, before)
        if line is None:
            return 0, _LAST, _LAST
        return line.seq - 1, before, _above(line.posted_at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM ledger.account WHERE member_id = %s", [member_id])
        row = cursor.fetchone()
    return (row[0] if row else 0), _LAST, _LAST


def _start_at(member_id: int, instant: datetime) -> tuple[int, UUID, UUID] | None:
    """The same for what was posted before an instant; None where neighbours are out of turn."""
    bound = _above(instant)
    around = read_lines(
        "WHERE member_id = %s AND op_id < %s ORDER BY op_id DESC LIMIT %s",
        [member_id, bound, PIECE_MIN],
    ) + read_lines(
        "WHERE member_id = %s AND op_id >= %s ORDER BY op_id LIMIT %s",
        [member_id, bound, PIECE_MIN],
    )
    earlier = {line.seq for line in around if line.posted_at < instant}
    later = {line.seq for line in around if line.posted_at >= instant}
    if not earlier or max(earlier) + 1 not in later or min(later) < max(earlier):
        return None
    return max(earlier), bound, bound


def _above(instant: datetime) -> UUID:
    return UUID(int=uuid7(instant + AHEAD).int >> 80 << 80)


def _rest(member_id: int, top: int, wanted: _Wanted, limit: int) -> list[EntryLine]:
    """By the whole of a member's journal: a clock went back, and left a neighbour out of reach."""
    return read_lines(
        "WHERE member_id = %s AND seq <= %s"
        " AND (%s::smallint[] IS NULL OR kind = ANY(%s::smallint[]))"
        " AND posted_at >= coalesce(%s::timestamptz, '-infinity') AND posted_at < coalesce(%s::timestamptz, 'infinity')"
        " ORDER BY seq DESC LIMIT %s",
        [
            member_id, top, *[[int(kind) for kind in wanted.kinds] or None] * 2,
            wanted.after, wanted.before, limit,
        ],
    )  # fmt: skip
