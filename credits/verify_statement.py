#!/usr/bin/env python3
"""Check a downloaded statement of credits, offline, with Python's standard library alone.

    python verify_statement.py statement-proof.json [--published seals.json]

Every line must follow from the line before it, add up to the closing balance, and lead by its audit
path to the root of the block that sealed it (Merkle tree of RFC 6962, section 2.1). Blocks in a row
must name each other's roots. With `--published`, a file of roots as /credits/seals.json gave them
or a copy of the operator's signed log, of this time or earlier, the blocks must be the published ones: only that shows that the statement
and the ledger were not rewritten together.

Exits 0 when everything holds, 1 naming the first wrong line or block, 2 when a file cannot be read.
"""

import argparse
import hashlib
import json
import sys
from typing import Any

FORMAT = "apple-zone-statement-1"
NO_ROOT = "00" * 32
# The fields of an entry in the order they are hashed. Instants are microseconds since 1970 UTC.
ENTRY_FIELDS = (
    "member_id", "op_id", "posted_at", "occurred_at", "txid", "orig_op", "seq",
    "available_change", "held_change", "debt_change",
    "available_after", "held_after", "debt_after",
    "day", "kind", "counter", "alloc", "reason", "related",
)  # fmt: skip
HEADER_FIELDS = (
    "block", "tx_lo", "tx_hi", "entry_count", "available_sum", "held_sum", "debt_sum", "sealed_at",
)  # fmt: skip


class Wrong(Exception):
    """The first thing that does not hold."""


def field(value: object) -> bytes:
    """One value as a netstring; an absent one is a hyphen and a comma."""
    if value is None:
        return b"-,"
    text = ",".join(str(item) for item in value) if isinstance(value, list) else str(value)
    data = text.encode()
    return b"%d:%s," % (len(data), data)


def leaf_of(entry: dict[str, Any]) -> bytes:
    """The hash of an entry."""
    fields = [field("entry-1"), *(field(entry[name]) for name in ENTRY_FIELDS)]
    return hashlib.sha256(b"\x00" + b"".join(fields)).digest()


def pair_of(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(leaves: list[bytes]) -> bytes:
    """The root over all leaves of a block."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    while len(leaves) > 1:
        leaves = _level_above(leaves)
    return leaves[0]


def tree_levels(leaves: list[bytes]) -> list[list[bytes]]:
    """The tree from its leaves up to its root."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        levels.append(_level_above(levels[-1]))
    return levels


def path_in(levels: list[list[bytes]], place: int) -> list[bytes]:
    """The neighbours that lead from the leaf at `place` (from 0) to the root."""
    path = []
    for level in levels[:-1]:
        if (neighbour := place ^ 1) < len(level):
            path.append(level[neighbour])
        place //= 2
    return path


def audit_path(leaves: list[bytes], place: int) -> list[bytes]:
    """The same for one leaf alone."""
    return path_in(tree_levels(leaves), place)


def _level_above(hashes: list[bytes]) -> list[bytes]:
    return [
        pair_of(hashes[i], hashes[i + 1]) if i + 1 < len(hashes) else hashes[i]
        for i in range(0, len(hashes), 2)
    ]


def root_by_path(leaf: bytes, place: int, count: int, path: list[bytes]) -> bytes:
    """Where an audit path leads. Raises Wrong when it does not fit a tree of `count` leaves."""
    if not 0 <= place < count:
        raise Wrong("its place is outside its block")
    rest = list(path)
    while count > 1:
        if (place ^ 1) < count:
            if not rest:
                raise Wrong("its audit path is too short")
            neighbour = rest.pop(0)
            leaf = pair_of(neighbour, leaf) if place % 2 else pair_of(leaf, neighbour)
        place, count = place // 2, (count + 1) // 2
    if rest:
        raise Wrong("its audit path is too long")
    return leaf


def block_root(block: dict[str, Any]) -> bytes:
    """The root of a block: it covers the root before it, the header and the tree."""
    header = b"".join([field("block-1"), *(field(block[name]) for name in HEADER_FIELDS)])
    return hashlib.sha256(
        b"\x02" + bytes.fromhex(block["prev_root"]) + header + bytes.fromhex(block["tree"])
    ).digest()


# --- Checking a file ------------------------------------------------------------------------------


def check(proof: dict[str, Any], published: dict[int, str]) -> list[str]:
    """What was shown, in sentences. Raises Wrong at the first thing that does not hold."""
    if proof.get("format") != FORMAT:
        raise Wrong(f"the file is not of the format {FORMAT}")
    blocks = _check_blocks(proof["blocks"], published)
    sealed = _check_lines(proof, blocks)
    lines = len(proof["lines"])
    told = [
        f"{lines} lines of {proof['month']} add up: {proof['opening']['available']} + "
        f"{proof['closing']['available'] - proof['opening']['available']} = "
        f"{proof['closing']['available']}",
        f"{sealed} lines are sealed in {len({n for n in blocks if blocks[n].get('used')})} blocks",
    ]
    if lines > sealed:
        told.append(f"{lines - sealed} lines are too new to be sealed: ask again in a minute")
    numbers = sorted(blocks)
    if numbers and numbers == list(range(numbers[0], numbers[-1] + 1)):
        told.append(f"blocks {numbers[0]} to {numbers[-1]} form one chain")
    elif numbers:
        told.append("not all blocks between the lines are in the file: compare roots as published")
    if published and numbers:
        told.append(f"{len(set(numbers) & set(published))} of {len(numbers)} roots were published")
    return told


def _check_blocks(
    listed: list[dict[str, Any]], published: dict[int, str]
) -> dict[int, dict[str, Any]]:
    blocks: dict[int, dict[str, Any]] = {}
    for block in listed:
        number = block["block"]
        if block_root(block).hex() != block["root"]:
            raise Wrong(f"block {number}: its root does not follow from its header")
        if number in published and published[number] != block["root"]:
            raise Wrong(f"block {number}: its root is not the published one")
        before = blocks.get(number - 1)
        if before is not None and (before["root"], before["tx_hi"]) != (
            block["prev_root"],
            block["tx_lo"],
        ):
            raise Wrong(f"block {number}: it does not follow block {number - 1}")
        if number == 1 and block["prev_root"] != NO_ROOT:
            raise Wrong("block 1: it follows something")
        blocks[number] = block
    return blocks


def _check_lines(proof: dict[str, Any], blocks: dict[int, dict[str, Any]]) -> int:
    sealed = 0
    standing = dict(proof["opening"])
    for number, line in enumerate(proof["lines"], start=1):
        entry = line["entry"]
        try:
            standing = _after(standing, entry, proof["member_id"])
            if line["block"] is not None:
                _check_seal(line, blocks)
                sealed += 1
        except Wrong as wrong:
            raise Wrong(
                f"line {number} (seq {entry['seq']}, {entry['day']}, {entry['op_id']}): {wrong}"
            ) from None
    if standing != proof["closing"]:
        raise Wrong(f"closing: the lines lead to {standing}, not to {proof['closing']}")
    return sealed


def _after(standing: dict[str, int], entry: dict[str, Any], member_id: int) -> dict[str, int]:
    if entry["member_id"] != member_id:
        raise Wrong("it is another member's")
    if entry["seq"] != standing["seq"] + 1:
        raise Wrong(f"it does not follow seq {standing['seq']}: a line is missing or doubled")
    after = {"seq": entry["seq"]}
    for name in ("available", "held", "debt"):
        after[name] = standing[name] + entry[f"{name}_change"]
        if after[name] != entry[f"{name}_after"]:
            raise Wrong(f"{name} before and change do not add up to {entry[f'{name}_after']}")
    return after


def _check_seal(line: dict[str, Any], blocks: dict[int, dict[str, Any]]) -> None:
    block = blocks.get(line["block"])
    if block is None:
        raise Wrong(f"block {line['block']} is not in the file")
    if not block["tx_lo"] <= line["entry"]["txid"] < block["tx_hi"]:
        raise Wrong(f"its transaction is outside block {line['block']}")
    path = [bytes.fromhex(step) for step in line["path"]]
    root = root_by_path(leaf_of(line["entry"]), line["place"], block["entry_count"], path)
    if root.hex() != block["tree"]:
        raise Wrong(f"it is not what block {line['block']} sealed")
    block["used"] = True


def _read(path: str) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _read_published(path: str) -> list[dict[str, Any]]:
    """Kept roots: a file of /credits/seals.json, or a copy of the signed log (a line each)."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        kept: list[dict[str, Any]] = json.loads(text)["seals"]
    except (ValueError, KeyError):
        kept = [json.loads(line) for line in text.splitlines()]
    return kept


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check a downloaded statement of credits.")
    parser.add_argument("proof", help="the proof file of a statement")
    parser.add_argument(
        "--published", metavar="FILE", help="roots kept from /credits/seals.json or the signed log"
    )
    options = parser.parse_args(arguments)
    try:
        proof = _read(options.proof)
        kept = _read_published(options.published) if options.published else []
        told = check(proof, {seal["block"]: seal["root"] for seal in kept})
    except Wrong as wrong:
        print(f"WRONG  {wrong}")  # noqa: T201
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"cannot be read: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    for sentence in told:
        print(f"ok     {sentence}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
