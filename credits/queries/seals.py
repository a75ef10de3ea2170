"""Reading the seals: the latest roots, and whether every sealed row is as it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from credits.verify_statement import ENTRY_FIELDS, block_root, leaf_of, tree_root

SEALS_PAGE = 50  # blocks
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEAL_COLUMNS = (
    "block, tx_lo, tx_hi, entry_count, available_sum, held_sum, debt_sum, sealed_at, "
    "prev_root, root"
)
ENTRY_COLUMNS = ", ".join(ENTRY_FIELDS)


@dataclass(frozen=True, slots=True)
class Seal:
    """One block of the seal. `tx_lo` is in it, `tx_hi` is not."""

    block: int
    tx_lo: int
    tx_hi: int
    entry_count: int
    available_sum: int
    held_sum: int
    debt_sum: int
    sealed_at: datetime
    prev_root: bytes
    root: bytes

    def as_header(self, tree: bytes) -> dict[str, Any]:
        """As `credits.verify_statement` reads a block."""
        return {
            "block": self.block,
            "tx_lo": self.tx_lo,
            "tx_hi": self.tx_hi,
            "entry_count": self.entry_count,
            "available_sum": self.available_sum,
            "held_sum": self.held_sum,
            "debt_sum": self.debt_sum,
            "sealed_at": microseconds(self.sealed_at),
            "prev_root": self.prev_root.hex(),
            "tree": tree.hex(),
            "root": self.root.hex(),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a block; the row when one is to blame."""

    block: int
    what: str
    member_id: int | None = None
    op_id: UUID | None = None

    def __str__(self) -> str:
        row = f" member {self.member_id}, operation {self.op_id}" if self.op_id else ""
        return f"block {self.block}:{row} {self.what}"


def list_seals(
    *, before: int | None = None, first: int | None = None, limit: int = SEALS_PAGE
) -> list[Seal]:
    """Newest blocks first: those below `before` and not below `first`."""
    return _seals(
        "WHERE block < coalesce(%s, 9223372036854775807) AND block >= %s"
        " ORDER BY block DESC LIMIT %s",
        [before, first or 0, limit],
    )


def microseconds(at: datetime) -> int:
    """An instant as the seals hash it."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def canonical(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of `ENTRY_COLUMNS` with the values that are hashed, all of them plain JSON."""
    return {name: _plain(value) for name, value in zip(ENTRY_FIELDS, row, strict=True)}


def check_seals(first: int = 1, last: int | None = None) -> Iterator[Finding]:
    """Recompute blocks from the journal, oldest first, in Python and not in the database.

    Names the rows that were changed, removed or added since they were sealed, and blocks that
    were rewritten. Reads one block at a time.
    """
    before = next(iter(_seals("WHERE block = %s", [first - 1])), None) if first > 1 else None
    after = first - 1
    while seals := _seals(
        "WHERE block > %s AND block <= coalesce(%s, 9223372036854775807) ORDER BY block LIMIT 200",
        [after, last],
    ):
        for seal in seals:
            yield from _check_block(seal, before)
            before = seal
        after = seals[-1].block


def find_newest_block() -> int:
    """The number of the newest block; 0 while nothing is sealed."""
    return next((seal.block for seal in list_seals(limit=1)), 0)


def find_block_at(moment: datetime) -> int:
    """The first block that was sealed at or after a moment, or the newest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(block) FROM ledger.seal WHERE sealed_at >= %s", [moment])
        row = cursor.fetchone()
    return row[0] if row and row[0] else find_newest_block()


def read_change_counts() -> dict[str, int]:
    """How many rows of the journal and its seals were ever changed or deleted, by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname::text, n_tup_upd + n_tup_del FROM pg_stat_user_tables"
            " WHERE schemaname = 'ledger'"
            " AND (starts_with(relname, 'entry') OR starts_with(relname, 'seal'))"
        )
        return dict(cursor.fetchall())


def _check_block(seal: Seal, before: Seal | None) -> Iterator[Finding]:
    expected = (before.block + 1, before.tx_hi, before.root) if before else (1, 0, bytes(32))
    if (seal.block, seal.tx_lo, seal.prev_root) != expected:
        yield Finding(seal.block, "does not follow the block before it")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT members, ops, leaves FROM ledger.seal_leaf WHERE block = %s", [seal.block]
        )
        kept = cursor.fetchone()
        cursor.execute(
            f"SELECT {ENTRY_COLUMNS} FROM ledger.entry WHERE txid >= %s AND txid < %s"  # noqa: S608
            " ORDER BY txid, member_id, op_id",
            [seal.tx_lo, seal.tx_hi],
        )
        found = {(row[0], row[1]): leaf_of(canonical(row)) for row in cursor}
    if kept is None:
        yield Finding(seal.block, "has lost its leaves")
        return
    members, ops, hashes = kept
    leaves = [bytes(leaf) for leaf in hashes]
    if block_root(seal.as_header(tree_root(leaves))) != seal.root:
        yield Finding(seal.block, "was rewritten: its root does not follow from its leaves")
    elif block_root(seal.as_header(tree_root(list(found.values())))) == seal.root:
        return
    for member_id, op_id, leaf in zip(members, ops, leaves, strict=True):
        live = found.pop((member_id, op_id), None)
        if live != leaf:
            what = "was removed" if live is None else "was changed"
            yield Finding(seal.block, what, member_id, op_id)
    for member_id, op_id in found:
        yield Finding(seal.block, "was added", member_id, op_id)


def _seals(clauses: str, values: list[Any]) -> list[Seal]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_SEAL_COLUMNS} FROM ledger.seal {clauses}", values)  # noqa: S608
        return [Seal(*row) for row in cursor]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, (date, UUID)):
        return str(value)
    return value
