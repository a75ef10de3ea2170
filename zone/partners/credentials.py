"""Making and checking secrets: 190 random bits, a prefix that scanners find, a checksum.

The checksum tells a mistyped or made-up value from a real one before any row is read.
"""

import hashlib
import hmac
import secrets
import string
import zlib

_LETTERS = string.digits + string.ascii_letters
_RANDOM_LETTERS = 32
_CHECK_LETTERS = 6


def new_secret(kind: str, mode: str) -> str:
    """A fresh secret such as `zat_test_…`; kept nowhere in clear."""
    body = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM_LETTERS))
    return f"{kind}_{mode}_{body}{_checksum(f'{kind}_{mode}_{body}')}"


def is_well_formed(secret: str) -> bool:
    """Whether prefix and checksum fit. Says nothing about whether it is known."""
    if not secret.isascii() or len(secret) > 64 or secret.count("_") != 2:
        return False
    return hmac.compare_digest(_checksum(secret[:-_CHECK_LETTERS]), secret[-_CHECK_LETTERS:])


def hash_secret(secret: str) -> bytes:
    """What is stored. SHA-256 is right where the secret itself cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    letters = ""
    for _ in range(_CHECK_LETTERS):
        number, digit = divmod(number, len(_LETTERS))
        letters += _LETTERS[digit]
    return letters
