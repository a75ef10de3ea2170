"""Secrets at rest: AES-256-GCM envelopes and blind indexes.

An envelope is `version (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`, as NIST SP 800-38D describes the
mode. The additional data ties an envelope to its row, so it cannot be moved to another. A blind
index is an HMAC-SHA256 with a key of its own: it finds an equal value without showing it, and
unlike a bare hash it cannot be guessed without the key.
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE_BYTES = 12
# HMAC with SHA-256 works on blocks of 64 bytes; keys here are 32 (RFC 2104 section 2).
_BLOCK_BYTES = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class VaultError(Exception):
    """An envelope that does not open: wrong key, wrong row, or changed bytes."""


def new_data_key() -> bytes:
    """A fresh 256-bit key for one pool."""
    return AESGCM.generate_key(bit_length=256)


def seal(plain: bytes, *, aad: bytes, key: bytes, version: int = 1) -> bytes:
    """`plain` as an envelope that opens only with `key` and the same `aad`."""
    nonce = os.urandom(_NONCE_BYTES)
    return bytes([version]) + nonce + AESGCM(key).encrypt(nonce, plain, aad)


def unseal(envelope: bytes, *, aad: bytes, key: bytes) -> bytes:
    """The plain bytes of an envelope. Raises VaultError when it does not open."""
    nonce, body = envelope[1 : 1 + _NONCE_BYTES], envelope[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, aad)
    except (InvalidTag, ValueError) as error:
        raise VaultError("the envelope does not open") from error


def _key_encryption_key(version: int) -> bytes:
    keys: dict[int, bytes] = settings.ZONE_KEYS
    if version not in keys:
        raise VaultError(f"key-encryption key {version} is not configured")
    return keys[version]


def newest_version() -> int:
    """The number of the key-encryption key that `wrap` uses."""
    return max(settings.ZONE_KEYS)


def wrap(plain: bytes, *, purpose: str) -> bytes:
    """`plain` sealed under the newest key-encryption key; its version is the first byte."""
    version = newest_version()
    return seal(plain, aad=purpose.encode(), key=_key_encryption_key(version), version=version)


def unwrap(envelope: bytes | memoryview, *, purpose: str) -> bytes:
    """What `wrap` sealed, with whichever configured key it names. Raises VaultError."""
    envelope = bytes(envelope)
    if not envelope:
        raise VaultError("the envelope is empty")
    return unseal(envelope, aad=purpose.encode(), key=_key_encryption_key(envelope[0]))


class BlindIndexer:
    """`blind_index` for many values of one purpose: the key is mixed in once, as RFC 2104 allows."""

    def __init__(self, purpose: str) -> None:
        key = settings.ZONE_INDEX_KEY.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(key.translate(_INNER) + f"{purpose}\x00".encode())
        self._outer = hashlib.sha256(key.translate(_OUTER))

    def index(self, value: str) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value.encode())
        outer.update(inner.digest())
        return outer.digest()


def blind_index(purpose: str, value: str) -> bytes:
    """32 bytes that are equal exactly when purpose and value are."""
    message = f"{purpose}\x00{value}".encode()
    return hmac.digest(settings.ZONE_INDEX_KEY, message, "sha256")
