"""Publishing the seals: a signed, append-only log outside the database (`SEAL_LOG`).

A line names the newest block and its root, which covers every block before it, and the hash of the
line before. It is signed with Ed25519 (RFC 8032). Whoever keeps a copy of the log, or the disk it is
on keeps what was written, can show that the ledger was rewritten later, by its owner too. The blocks
sealed afterwards name the newest line, so that a log that was cut short is found out as well.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import connection

from credits.queries.seals import Finding, list_seals
from zone.core.failpoints import failpoint

FIRST = "00" * 32
_FIELDS = ("n", "block", "root", "entry_count", "sealed_at", "before")


class LogBroken(Exception):
    """The log on the disk is not what was published; nothing may be added to it."""


@dataclass(frozen=True, slots=True)
class Line:
    n: int
    block: int
    root: str
    text: bytes

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.text).hexdigest()


def publish_seals() -> Line | None:
    """The newest block stands in the log, once; None when it does already, or no log is kept.

    The line is on the disk before the database knows of it: a publisher that is killed in between
    leaves a line that the next one takes over. Raises LogBroken.
    """
    if not settings.SEAL_LOG:
        return None
    with open(settings.SEAL_LOG, "ab+") as log:
        fcntl.flock(log, fcntl.LOCK_EX)  # Closing the file lets go of it.
        n, last_hash, last_block = _last_known()
        last = _last_line(log)
        if last is not None and last.n == n + 1 and _is_sound(last, last_hash):
            _note(last)
            n, last_hash, last_block = last.n, last.hash, last.block
        elif (last.hash if last else FIRST) != last_hash:
            raise LogBroken(f"its last line is not line {n} as it was published")
        newest = next(iter(list_seals(limit=1)), None)
        if newest is None or newest.block <= last_block:
            return None
        facts: dict[str, Any] = {
            "n": n + 1,
            "block": newest.block,
            "root": newest.root.hex(),
            "entry_count": newest.entry_count,
            "sealed_at": newest.sealed_at.isoformat(),
            "before": last_hash,
        }
        facts["signature"] = _key().sign(_signed(facts)).hex()
        text = json.dumps(facts, separators=(",", ":")).encode()
        log.write(text + b"\n")
        log.flush()
        os.fsync(log.fileno())
        failpoint("seal_log_before_note")
        line = Line(n + 1, newest.block, newest.root.hex(), text)
        _note(line)
    return line


def check_log() -> Iterator[Finding]:
    """Read the whole log against the database: signatures, order, roots, and that none is missing."""
    noted = _noted()
    before, number = FIRST, 0
    known = {FIRST[:0]}
    with open(settings.SEAL_LOG, "rb") as log:
        for number, text in enumerate(log, start=1):
            line = _parsed(text.rstrip(b"\n"))
            if line is None or line.n != number or not _is_sound(line, before):
                yield Finding(line.block if line else 0, f"line {number} of the log is not ours")
                return
            seal = next(iter(list_seals(before=line.block + 1, first=line.block, limit=1)), None)
            if seal is None or seal.root.hex() != line.root:
                yield Finding(line.block, "its root is not the published one")
            if noted.get(number, line.hash) != line.hash:
                yield Finding(line.block, f"line {number} of the log was replaced")
            known.add(line.hash)
            before = line.hash
    if noted and max(noted) > number:
        yield Finding(0, f"the log ends with line {number}, but {max(noted)} were published")
    for block, reference in _references():
        if reference not in known:
            yield Finding(block, "names a published line that is not in the log")


def public_key() -> str:
    """What a reader checks signatures with."""
    return _key().public_key().public_bytes_raw().hex()


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.SEAL_LOG_KEY)


def _signed(facts: dict[str, Any]) -> bytes:
    return json.dumps({name: facts[name] for name in _FIELDS}, separators=(",", ":")).encode()


def _is_sound(line: Line, before: str) -> bool:
    facts = json.loads(line.text)
    key: Ed25519PublicKey = _key().public_key()
    try:
        key.verify(bytes.fromhex(facts["signature"]), _signed(facts))
    except (InvalidSignature, ValueError, KeyError):
        return False
    return bool(facts["before"] == before)


def _parsed(text: bytes) -> Line | None:
    try:
        facts = json.loads(text)
        return Line(facts["n"], facts["block"], facts["root"], text)
    except (ValueError, KeyError, TypeError):
        return None


def _last_line(log: Any) -> Line | None:
    log.seek(0, os.SEEK_END)
    log.seek(max(0, log.tell() - 4096))
    lines = log.read().splitlines()
    if not lines:
        return None
    line = _parsed(lines[-1])
    if line is None:
        raise LogBroken("its last line cannot be read")
    return line


def _note(line: Line) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger.note_anchor(%s, %s, %s)", [line.n, line.block, line.hash])
        if not cursor.fetchone()[0]:
            raise LogBroken(f"line {line.n} does not follow what was published")


def _last_known() -> tuple[int, str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT n, line_hash, block FROM ledger.anchor ORDER BY n DESC LIMIT 1")
        row = cursor.fetchone()
    return row or (0, FIRST, 0)


def _noted() -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT n, line_hash FROM ledger.anchor")
        return dict(cursor.fetchall())


def _references() -> list[tuple[int, str]]:
    """The first block that names each line."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(block), anchor_reference FROM ledger.seal GROUP BY anchor_reference"
        )
        rows: list[tuple[int, str]] = cursor.fetchall()
    return rows
