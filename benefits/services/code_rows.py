"""Many codes at once: sealed with one cipher a batch and sent through COPY.

Beside an INSERT of model rows this is three times as fast, and a pool has a million rows.
"""

import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection

from benefits.models import CodeBatch
from benefits.services import pools

# PostgreSQL's own binary form of COPY:
# https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TAIL = b"\xff\xff"
_START = struct.Struct(">hiqiiiqi")  # fields, release, slot, batch, the length of the sealed code
_LENGTH = struct.Struct(">i")
_DATE = struct.Struct(">ii")
_NULL = _LENGTH.pack(-1)
_FIELDS = 8
_EPOCH = date(2000, 1, 1).toordinal()
_NONCE_BYTES = 12
_COPY = (
    "COPY benefits_code (release_id, slot, batch_id, sealed, code_index, last_four,"
    " redeem_url_sealed, expires_on) FROM STDIN (FORMAT BINARY)"
)


class NewCode(NamedTuple):
    """One code in clear with its place: slot, the key of its batch, and keyed index."""

    slot: int
    batch_id: int
    code_index: bytes
    code: str
    redeem_url: str


@dataclass(frozen=True, slots=True)
class _Pot:
    """What every code of a batch shares."""

    encrypt: Callable[[bytes, bytes, bytes], bytes]
    version: bytes
    ends: bytes


class Sealer:
    """Seals codes of a release as `pools.seal_code` does, with one cipher for each batch."""

    def __init__(self, *, release_id: int, batches: Iterable[tuple[CodeBatch, bytes]]) -> None:
        self.release_id = release_id
        self.pots = {batch.pk: _pot(batch, key) for batch, key in batches}

    def rows(self, codes: Iterable[NewCode]) -> bytes:
        """The codes as one body of a binary COPY."""
        parts = [_HEAD]
        release_id, pots, length = self.release_id, self.pots, _LENGTH.pack
        for slot, batch_id, index, code, redeem_url in codes:
            pot = pots[batch_id]
            nonces = os.urandom(2 * _NONCE_BYTES)
            nonce = nonces[:_NONCE_BYTES]
            aad = pools.aad(release_id, slot, "code")
            sealed = pot.version + nonce + pot.encrypt(nonce, code.encode(), aad)
            url = b""
            if redeem_url:
                nonce = nonces[_NONCE_BYTES:]
                aad = pools.aad(release_id, slot, "url")
                url = pot.version + nonce + pot.encrypt(nonce, redeem_url.encode(), aad)
            last_four = code[-pools.LAST_LETTERS :].encode()
            parts += (
                _START.pack(_FIELDS, 8, release_id, 4, slot, 8, batch_id, len(sealed)),
                sealed,
                length(len(index)),
                index,
                length(len(last_four)),
                last_four,
                length(len(url)),
                url,
                pot.ends,
            )
        parts.append(_TAIL)
        return b"".join(parts)


def _pot(batch: CodeBatch, key: bytes) -> _Pot:
    ends = batch.expires_on
    return _Pot(
        encrypt=AESGCM(key).encrypt,
        version=bytes((batch.key_number,)),
        ends=_DATE.pack(4, ends.toordinal() - _EPOCH) if ends else _NULL,
    )


def copy_codes(sealer: Sealer, codes: list[NewCode]) -> None:
    """Insert codes in the caller's transaction. Raises IntegrityError for one that is known."""
    if not codes:
        return
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(_COPY) as copy,
    ):
        copy.write(sealer.rows(codes))


def find_known(indexes: list[bytes]) -> dict[bytes, tuple[int, int, bytes]]:
    """Which of these codes exist: each with its release, its slot and the hash of its file."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code.code_index, code.release_id, code.slot, batch.file_hash"
            " FROM benefits_code code JOIN benefits_codebatch batch ON batch.id = code.batch_id"
            " WHERE code.code_index = ANY(%s)",
            [indexes],
        )
        return {
            bytes(index): (release_id, slot, bytes(file_hash or b""))
            for index, release_id, slot, file_hash in cursor.fetchall()
        }
