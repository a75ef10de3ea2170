#!/usr/bin/env python3
"""Check a fair draw with Python's standard library alone.

    python verify_drop.py proof.json [--published before.json] [--entry ent_...]

`proof.json` is a draw's file after it is done; `before.json` is the same address saved before
entries closed: only that shows that terms and commitment were not exchanged afterwards. `--entry`
says where an entry came.

1. The commitment is the SHA-256 of the terms and the secret, so the secret was chosen before anyone
   entered. 2. The root is that of the list of entries (Merkle tree of RFC 6962, section 2.1), each
   entry once. 3. The seed follows from the secret, the root and the outside value that was
   announced, if one was. 4. An entry's place is by HMAC-SHA256 of its id under the seed, smallest
   first. 5. The winners are the first in that order, without those who could not claim, each of
   whom is named with the reason: one who had won as often as the terms let a member, for
   instance, or whose ticket was taken away.

Exits 0 when everything holds, 1 naming what does not, 2 when a file cannot be read.
"""

import argparse
import hashlib
import hmac
import json
import sys
from collections.abc import Sequence
from typing import Any

FORMAT = "apple-zone-draw-1"


class Wrong(Exception):
    """The first thing that does not hold."""


def canonical(value: object) -> bytes:
    """JSON in one spelling: sorted names, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def commitment_of(terms: dict[str, Any], secret: str) -> str:
    """What is published before the first entry."""
    return hashlib.sha256(canonical([FORMAT, terms, secret])).hexdigest()


def root_of(entries: Sequence[str]) -> str:
    """The Merkle root of the ids in their alphabetical order."""
    level = [hashlib.sha256(b"\x00" + entry.encode()).digest() for entry in sorted(entries)]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + level[place] + level[place + 1]).digest()
            for place in range(0, len(level) - 1, 2)
        ]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0].hex()


def seed_of(secret: str, root: str, beacon: str) -> str:
    """What decides the order; nobody could know it while entries were open."""
    return hashlib.sha256(canonical([FORMAT, secret, root, beacon])).hexdigest()


def order_of(entries: Sequence[str], seed: str) -> list[str]:
    """All entries as they were drawn, the first one first."""
    key = bytes.fromhex(seed)

    def place(entry: str) -> tuple[bytes, str]:
        return hmac.new(key, entry.encode(), hashlib.sha256).digest(), entry

    return sorted(entries, key=place)


def check(proof: dict[str, Any], published: dict[str, Any] | None = None) -> list[str]:
    """The order that was drawn. Raises Wrong naming the first thing that does not hold."""
    if proof.get("format") != FORMAT:
        raise Wrong(f"this is no file of format {FORMAT}")
    if proof.get("state") != "done":
        raise Wrong("the draw is not done yet")
    terms, secret = proof["terms"], proof["secret"]
    if published is not None:
        for name in ("terms", "commitment"):
            if published.get(name) != proof[name]:
                raise Wrong(f"the {name} is not the one that was published before")
    if commitment_of(terms, secret) != proof["commitment"]:
        raise Wrong("the commitment does not belong to these terms and this secret")
    entries = proof["entries"]
    if len(set(entries)) != len(entries):
        raise Wrong("an entry is listed twice")
    if root_of(entries) != proof["entries_root"]:
        raise Wrong("the root does not belong to this list of entries")
    beacon = proof["beacon"]
    if bool(beacon) != bool(terms["beacon_name"]):
        raise Wrong("the outside value is not as announced")
    if seed_of(secret, proof["entries_root"], beacon) != proof["seed"]:
        raise Wrong("the seed does not follow from secret, root and outside value")
    order = order_of(entries, proof["seed"])
    _check_winners(proof, order)
    return order


def _check_winners(proof: dict[str, Any], order: list[str]) -> None:
    passed = {row["entry"]: row["reason"] for row in proof["passed"]}
    if any(not reason for reason in passed.values()):
        raise Wrong("somebody was passed over without a reason")
    if set(passed) - set(order) or set(passed) & set(proof["winners"]):
        raise Wrong("the list of those who could not claim is not of this draw")
    number = proof["terms"]["winners_max"]
    due = [entry for entry in order if entry not in passed][:number]
    if proof["winners"] != due:
        raise Wrong("the winners are not the first in the order")
    if passed and len(due) == number:
        places = {entry: place for place, entry in enumerate(order)}
        if max(places[entry] for entry in passed) > places[due[-1]]:
            raise Wrong("somebody was passed over after the last winner")


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a fair draw.")
    parser.add_argument("proof")
    parser.add_argument("--published", help="the draw's file as it was before entries closed")
    parser.add_argument("--entry", help="say where this entry came")
    asked = parser.parse_args()
    try:
        files = []
        for path in filter(None, (asked.proof, asked.published)):
            with open(path, encoding="utf-8") as file:
                files.append(json.load(file))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return 2
    try:
        order = check(*files)
    except (Wrong, KeyError, TypeError, ValueError) as error:
        sys.stdout.write(f"WRONG: {error}\n")
        return 1
    winners = files[0]["winners"]
    sys.stdout.write(f"{len(order)} entries, {len(winners)} winners: everything holds\n")
    if asked.entry:
        if asked.entry not in order:
            sys.stdout.write(f"WRONG: {asked.entry} is not in the list\n")
            return 1
        won = "won" if asked.entry in winners else "did not win"
        sys.stdout.write(
            f"{asked.entry} was drawn as number {order.index(asked.entry) + 1}: {won}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
