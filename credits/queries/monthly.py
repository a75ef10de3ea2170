"""A month's statement, and the proof that it is what was sealed."""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import connection

from credits.kinds import Kind
from credits.queries.journal import EntryLine, Standing, get_standing, read_lines
from credits.queries.seals import ENTRY_COLUMNS, Seal, canonical, list_seals
from credits.verify_statement import FORMAT, path_in, tree_levels, tree_root
from zone.members.models import Member

CHAIN_MAX = 500  # blocks in a proof file between its first block and the newest


LINES_PER_READ = 2000


@dataclass(frozen=True, slots=True)
class Month:
    """Opening plus all changes is closing: for what is available, held and owed alike."""

    starts_on: date
    opening: Standing
    closing: Standing
    line_count: int


def get_month(member: Member, starts_on: date) -> Month:
    """A member's month by business day. Two reads of a line each, however many lines it has."""
    first, after = starts_on, month_after(starts_on)
    opening = get_standing(member, first)
    closing = get_standing(member, after)
    return Month(starts_on, opening, closing, closing.seq - opening.seq)


def list_month_lines(
    member: Member,
    month: Month,
    *,
    after_seq: int = 0,
    kinds: Collection[Kind] = (),
    limit: int = LINES_PER_READ,
) -> list[EntryLine]:
    """Lines of a month, oldest first, those after a seq. A member's business day never goes back."""
    return read_lines(
        "WHERE member_id = %s AND seq > %s AND seq <= %s"
        " AND (%s::smallint[] IS NULL OR kind = ANY(%s::smallint[])) ORDER BY seq LIMIT %s",
        [
            member.pk, max(after_seq, month.opening.seq), month.closing.seq,
            *[[int(kind) for kind in kinds] or None] * 2, limit,
        ],
    )  # fmt: skip


def iterate_month(member: Member, month: Month) -> Iterator[EntryLine]:
    """Every line of a month, oldest first, in pieces: no connection is held between them."""
    after_seq = month.opening.seq
    while lines := list_month_lines(member, month, after_seq=after_seq):
        yield from lines
        after_seq = lines[-1].seq


def sum_changes(member: Member, month: Month, kinds: Collection[Kind]) -> int:
    """What the lines of these kinds did to the balance in that month."""
    if not kinds:
        return month.closing.available - month.opening.available
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(available_change), 0)::int FROM ledger.entry"
            " WHERE member_id = %s AND seq > %s AND seq <= %s AND kind = ANY(%s::smallint[])",
            [member.pk, month.opening.seq, month.closing.seq, [int(kind) for kind in kinds]],
        )
        total: int = cursor.fetchone()[0]
    return total


def month_after(starts_on: date) -> date:
    return date(starts_on.year + starts_on.month // 12, starts_on.month % 12 + 1, 1)


def month_before(starts_on: date) -> date:
    return date(starts_on.year - (starts_on.month == 1), (starts_on.month - 2) % 12 + 1, 1)


def prove_month(member: Member, starts_on: date) -> Iterator[str]:
    """A month's lines as JSON with all that `credits/verify_statement.py` needs, piece by piece.

    Each sealed line has its audit path; blocks are those of the lines and, unless there are too
    many, all from the first of them to the newest.
    """
    month = get_month(member, starts_on)
    head = {
        "format": FORMAT,
        "month": f"{starts_on:%Y-%m}",
        "member_id": member.pk,
        "opening": asdict(month.opening),
        "closing": asdict(month.closing),
    }
    yield json.dumps(head)[:-1] + ', "lines": ['
    used: set[int] = set()
    mark = ""
    for line in _prove_lines(member, month):
        if line["block"] is not None:
            used.add(line["block"])
        yield mark + json.dumps(line)
        mark = ",\n"
    yield '], "blocks": ['
    mark = ""
    for seal in _chain(sorted(used)):
        yield mark + json.dumps(seal.as_header(_tree_of(seal.block)))
        mark = ",\n"
    yield "]}"


def _prove_lines(member: Member, month: Month) -> Iterator[dict[str, Any]]:
    after_seq = month.opening.seq
    kept: tuple[int, Any] = (
        0,
        None,
    )  # The leaves of one block at a time: they rise with the lines.
    while entries := _canonical_lines(member, month, after_seq):
        block_of = _blocks_of([entry["txid"] for entry in entries])
        for entry in entries:
            block = block_of.get(entry["txid"])
            line: dict[str, Any] = {"entry": entry, "block": block, "place": None, "path": []}
            if block is not None:
                if kept[0] != block:
                    places, leaves = _leaves_of(block)
                    kept = (block, (places, tree_levels(leaves)))
                places, levels = kept[1]
                line["place"] = places[entry["member_id"], entry["op_id"]]
                line["path"] = [step.hex() for step in path_in(levels, line["place"])]
            yield line
        after_seq = entries[-1]["seq"]


def _canonical_lines(member: Member, month: Month, after_seq: int) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {ENTRY_COLUMNS} FROM ledger.entry"  # noqa: S608
            " WHERE member_id = %s AND seq > %s AND seq <= %s ORDER BY seq LIMIT %s",
            [member.pk, after_seq, month.closing.seq, LINES_PER_READ],
        )
        return [canonical(row) for row in cursor]


def _blocks_of(txids: list[int]) -> dict[int, int]:
    """The sealed block of each transaction; what is not sealed yet is left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.txid, s.block FROM unnest(%s::bigint[]) t (txid) CROSS JOIN LATERAL ("
            " SELECT block, tx_lo FROM ledger.seal WHERE tx_hi > t.txid ORDER BY tx_hi LIMIT 1"
            ") s WHERE s.tx_lo <= t.txid",
            [txids],
        )
        return dict(cursor.fetchall())


def _leaves_of(block: int) -> tuple[dict[tuple[int, str], int], list[bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT members, ops, leaves FROM ledger.seal_leaf WHERE block = %s", [block]
        )
        members, ops, leaves = cursor.fetchone()
    keys = zip(members, (str(op) for op in ops), strict=True)
    return {key: place for place, key in enumerate(keys)}, [bytes(leaf) for leaf in leaves]


def _tree_of(block: int) -> bytes:
    return tree_root(_leaves_of(block)[1])


def _chain(used: list[int]) -> Iterator[Seal]:
    if not used:
        return
    newest = list_seals(limit=1)[0]
    if newest.block - used[0] < CHAIN_MAX:
        yield from reversed(list_seals(first=used[0], limit=CHAIN_MAX))
        return
    for block in used:
        yield list_seals(before=block + 1, first=block, limit=1)[0]
