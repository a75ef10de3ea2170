"""Signing what is sent to partners, as Standard Webhooks 1.0 says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: the
base64 of HMAC-SHA256 over `id.timestamp.body`, one value for each secret in force.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from zone.core import vault

PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """A fresh secret as its partner keeps it: `whsec_` and the base64 of 32 bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def seal_secret(secret: str, *, endpoint_id: str) -> bytes:
    """The secret as its row keeps it; it opens for that endpoint alone."""
    return vault.wrap(secret.encode(), purpose=_purpose(endpoint_id))


def open_secret(sealed: bytes | memoryview, *, endpoint_id: str) -> str:
    """The secret in clear. Raises VaultError when it does not open."""
    return vault.unwrap(sealed, purpose=_purpose(endpoint_id)).decode()


def wrap_anew(sealed: bytes | memoryview | None, *, endpoint_id: str) -> bytes | None:
    """The same secret under the newest key-encryption key; None when there is nothing to do."""
    if not sealed or bytes(sealed)[0] == vault.newest_version():
        return None
    return seal_secret(open_secret(sealed, endpoint_id=endpoint_id), endpoint_id=endpoint_id)


def _purpose(endpoint_id: str) -> str:
    return f"webhook-secret:{endpoint_id}"


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """One value of `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def hook_headers(
    in_force: Iterable[str], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers of one attempt, signed with every secret in force."""
    values = [sign(one, message_id=message_id, timestamp=timestamp, body=body) for one in in_force]
    return {
        "Content-Type": "application/json",
        "User-Agent": "apple-zone-webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(values),
    }
