"""Identifiers: UUIDv7 for the database, prefixed Crockford base32 for everybody else.

UUIDv7 is RFC 9562 section 5.7: 48 bits of Unix milliseconds, then random bits, so ids sort by age.
Crockford's base32 alphabet leaves out I, L, O and U.
"""

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_PUBLIC_ID_LETTERS = 26
_SHIFTS = range(120, -1, -10)  # two letters at a time


def uuid7(at: datetime | None = None) -> UUID:
    """A UUIDv7 for the instant `at` (now when absent); unique by 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000 if at is None else int(at.timestamp() * 1000)
    random_bits = secrets.randbits(74)
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= (random_bits >> 62) << 64
    value |= 0b10 << 62
    value |= random_bits & (2**62 - 1)
    return UUID(int=value)


def instant_of(value: UUID) -> datetime:
    """The instant a UUIDv7 carries, to the millisecond, in UTC."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)


def new_public_id(prefix: str, at: datetime | None = None) -> str:
    """A fresh public id such as `clm_01JD2Y6V3K8Q4M7T9B5R1X0ZCA`."""
    return public_id_of(prefix, uuid7(at))


def public_id_of(prefix: str, value: UUID) -> str:
    """`value` written as `<prefix>_<26 letters>`."""
    number = value.int
    return f"{prefix}_{''.join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])}"


def uuid_of(public_id: str) -> UUID:
    """The UUID inside a public id. Raises ValueError when it is not one."""
    _, _, letters = public_id.rpartition("_")
    if len(letters) != _PUBLIC_ID_LETTERS:
        raise ValueError(f"{public_id!r} is not a public id")
    number = 0
    for letter in letters:
        if letter not in _VALUES:
            raise ValueError(f"{public_id!r} is not a public id")
        number = number << 5 | _VALUES[letter]
    if number >> 128:
        raise ValueError(f"{public_id!r} is not a public id")
    return UUID(int=number)
