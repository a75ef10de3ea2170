"""A month's statement, and the proof that it is what was sealed."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import connection

from credits.queries import EntryLine, Standing, get_standing, list_days
from credits.queries.seals import ENTRY_COLUMNS, Seal, canonical, list_seals
from credits.verify_statement import FORMAT, audit_path, tree_root
from zone.members.models import Member

CHAIN_MAX = 500  # blocks in a proof file between its first block and the newest


@dataclass(frozen=True, slots=True)
class Month:
    """Opening plus lines is closing: for what is available, held and owed alike."""

    starts_on: date
    opening: Standing
    lines: list[EntryLine]
    closing: Standing


def get_month(member: Member, starts_on: date) -> Month:
    """A member's month by business day, oldest line first."""
    lines = list_days(member, starts_on, month_after(starts_on))
    if not lines:
        standing = get_standing(member, starts_on)
        return Month(starts_on, standing, [], standing)
    first, last = lines[0], lines[-1]
    opening = Standing(
        first.available_after - first.available_change,
        first.held_after - first.held_change,
        first.debt_after - first.debt_change,
        first.seq - 1,
    )
    closing = Standing(last.available_after, last.held_after, last.debt_after, last.seq)
    return Month(starts_on, opening, lines, closing)


def month_after(starts_on: date) -> date:
    return date(starts_on.year + starts_on.month // 12, starts_on.month % 12 + 1, 1)


def month_before(starts_on: date) -> date:
    return date(starts_on.year - (starts_on.month == 1), (starts_on.month - 2) % 12 + 1, 1)


def prove_month(member: Member, starts_on: date) -> dict[str, Any]:
    """A month's lines with all that `credits/verify_statement.py` needs to check them offline.

    Each sealed line has its audit path; blocks are those of the lines and, unless there are too
    many, all from the first of them to the newest.
    """
    month = get_month(member, starts_on)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {ENTRY_COLUMNS} FROM ledger.entry"  # noqa: S608
            " WHERE member_id = %s AND seq = ANY(%s) ORDER BY seq",
            [member.pk, [line.seq for line in month.lines]],
        )
        entries = [canonical(row) for row in cursor]
    block_of = _blocks_of([entry["txid"] for entry in entries])
    proved = {block: _leaves_of(block) for block in sorted(set(block_of.values()))}
    lines = []
    for entry in entries:
        block = block_of.get(entry["txid"])
        line: dict[str, Any] = {"entry": entry, "block": block, "place": None, "path": []}
        if block is not None:
            places, leaves = proved[block]
            line["place"] = places[entry["member_id"], entry["op_id"]]
            line["path"] = [step.hex() for step in audit_path(leaves, line["place"])]
        lines.append(line)
    return {
        "format": FORMAT,
        "month": f"{starts_on:%Y-%m}",
        "member_id": member.pk,
        "opening": asdict(month.opening),
        "closing": asdict(month.closing),
        "lines": lines,
        "blocks": [
            seal.as_header(
                tree_root(proved[seal.block][1]) if seal.block in proved else _tree_of(seal.block)
            )
            for seal in _chain(sorted(proved))
        ],
    }


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


def _chain(used: list[int]) -> list[Seal]:
    if not used:
        return []
    newest = list_seals(limit=1)[0]
    if newest.block - used[0] < CHAIN_MAX:
        return list(reversed(list_seals(first=used[0], limit=CHAIN_MAX)))
    return [list_seals(before=block + 1, first=block, limit=1)[0] for block in used]
