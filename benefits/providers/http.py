"""An issuer over HTTP: signed requests, one idempotency key a claim, a status to ask for.

Each request carries `Idempotency-Key` and is signed with HMAC-SHA256 over method, path, time and
body, in the manner of Standard Webhooks (https://www.standardwebhooks.com): id, timestamp and body
are covered, so nothing can be altered or played back later.
"""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from benefits.models import Claim
from benefits.providers.base import Canceled, Issued, Listed, NeverAsked, Pending, Refused, Unknown
from benefits.providers.wire import Wire, WireError
from zone.core import vault

ANSWER_BYTES_MAX = 16_384
STATEMENT_BYTES_MAX = 8 * 1024 * 1024  # One page of a provider's list.
STATEMENT_PAGE_ROWS = 1_000
REFERENCE_LETTERS_MAX = 80
_SECRET_PURPOSE = "benefits-provider-secret"  # noqa: S105


def seal_secret(secret: str) -> bytes:
    """A provider's shared secret as its row keeps it."""
    return vault.wrap(secret.encode(), purpose=_SECRET_PURPOSE)


def open_secret(sealed: bytes) -> bytes:
    """The shared secret in clear. Raises VaultError when it does not open."""
    return vault.unwrap(bytes(sealed), purpose=_SECRET_PURPOSE)


def sign(secret: bytes, *, method: str, path: str, at: int, body: bytes) -> str:
    """The `Zone-Signature` of a request: `v1,` and the base64 of its HMAC."""
    message = b".".join([method.encode(), path.encode(), str(at).encode(), body])
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


class HttpIssuer:
    """An issuer at an address, with the secret we share and the patience we have."""

    def __init__(self, *, url: str, secret: bytes, timeout_ms: int) -> None:
        self.secret = secret
        # One for all threads of a drain: connections are kept between claims.
        self.wire = Wire(url, timeout=timeout_ms / 1000)

    def close(self) -> None:
        self.wire.close()

    def issue(self, claim: Claim) -> Issued | Refused | Unknown:
        # What is sent follows from the claim alone, so that a repeat is the same request.
        body = {
            "claim": claim.public_id,
            "kind": claim.benefit.kind,
            "benefit": claim.benefit.public_id,
            "member": claim.member.public_id,
            "storefront": claim.member.storefront,
            "detail": claim.benefit.detail,
        }
        answer = self._send("POST", "/issues", claim, body)
        if isinstance(answer, NeverAsked):
            return Unknown("no such address")
        return answer

    def query(self, claim: Claim) -> Issued | Refused | Unknown | NeverAsked:
        return self._send("GET", f"/issues/{claim.public_id}", claim, None)

    def cancel(self, claim: Claim) -> Canceled | Refused | Unknown:
        status, answer = self._call(
            "POST", f"/issues/{claim.public_id}/cancel", claim.public_id, {"claim": claim.public_id}
        )
        if status is None:
            return Unknown(str(answer))
        word = answer.get("status") if isinstance(answer, dict) else None
        if status == 200 and word == "canceled":
            return Canceled()
        if status in (409, 422) and isinstance(answer, dict):
            return Refused(str(answer.get("reason", "refused"))[:40])
        return Unknown(f"answer {status}")

    def list_orders(self) -> list[Listed] | Unknown:
        """Page by page, each signed; a page that cannot be read makes the whole list unknown."""
        listed: list[Listed] = []
        while True:
            path = f"/issues?after={len(listed)}&limit={STATEMENT_PAGE_ROWS}"
            status, answer = self._call("GET", path, "", None, bytes_max=STATEMENT_BYTES_MAX)
            rows = answer.get("orders") if isinstance(answer, dict) else None
            if status != 200 or not isinstance(rows, list):
                return Unknown(f"answer {status}")
            for row in rows:
                if not isinstance(row, dict):
                    return Unknown("a row that is no order")
                names = ("claim", "status", "reference", "code")
                listed.append(Listed(*(str(row.get(name, "")) for name in names)))
            if len(rows) < STATEMENT_PAGE_ROWS:
                return listed

    def _send(
        self, method: str, path: str, claim: Claim, body: dict[str, Any] | None
    ) -> Issued | Refused | Unknown | NeverAsked:
        status, answer = self._call(method, path, claim.public_id, body)
        return Unknown(str(answer)) if status is None else understand(status, answer)

    def _call(
        self,
        method: str,
        path: str,
        key: str,
        body: dict[str, Any] | None,
        *,
        bytes_max: int = ANSWER_BYTES_MAX,
    ) -> tuple[int | None, Any]:
        """Status and JSON of an answer; None and a word when there is none that can be read."""
        raw = b"" if body is None else json.dumps(body, sort_keys=True).encode()
        at = int(time.time())
        headers = {
            "Zone-Timestamp": str(at),
            "Zone-Signature": sign(self.secret, method=method, path=path, at=at, body=raw),
            "Content-Type": "application/json",
        }
        if key:
            headers["Idempotency-Key"] = key
        try:
            status, content = self.wire.ask(
                method, path, body=raw, headers=headers, bytes_max=bytes_max
            )
        except WireError as error:
            return None, str(error)
        try:
            return status, json.loads(content)
        except ValueError:
            return None, f"unreadable answer {status}"


def understand(status: int, answer: Any) -> Issued | Refused | Unknown | NeverAsked:
    """Only a well-formed answer counts; whatever else comes back is not knowing."""
    if not isinstance(answer, dict):
        return Unknown(f"unreadable answer {status}")
    if status == 404 and answer.get("status") == "not_found":
        return NeverAsked()
    if status in (200, 201) and answer.get("status") == "issued":
        values = [answer.get(name, "") for name in ("reference", "code", "redeem_url")]
        if all(isinstance(value, str) for value in values) and (
            0 < len(values[0]) <= REFERENCE_LETTERS_MAX
        ):
            return Issued(*values)
    if status in (200, 202) and answer.get("status") == "pending":
        return Pending("being made")
    if status in (200, 409, 422) and answer.get("status") == "refused":
        return Refused(str(answer.get("reason", "refused"))[:40])
    return Unknown(f"answer {status}")
