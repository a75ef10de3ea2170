"""A stand-in for issuers: its own HTTP process, with the faults of a real one.

`POST /issues` orders under an `Idempotency-Key`; a repeat gets the first answer, also after a
restart, because every order is on disk before it is answered. `GET /issues/<key>` says what became
of an order, `POST /issues/<key>/cancel` takes it back, `GET /issues?after=0&limit=1000` lists all
of them in their order, `POST /control` sets its moods:

    {"delay_ms": 50, "refuse": 0.1, "lose_reply": 0.2, "late": 0.1, "late_ms": 4000,
     "twice": 0.1, "other_code": 0.1, "down": 0, "mute": 0, "keep": 0,
     "codeless": 0, "defer": 0, "seed": 7,
     "claim": "clm_..."}

Numbers are odds from 0 to 1, drawn from the seed, the key and the number of the request, so one
seed always gives one story. With `claim` the moods are for that key alone. `down` answers 503
without taking the order; `lose_reply` takes it and drops the connection; `late` takes it and
answers after `late_ms`; `twice` sends the answer two times; `other_code` answers a repeat with a
code that is not the first one's. `mute` answers 503 to questions about an order; `keep` refuses to
take an order back; `codeless` issues into the account itself, without a code; `defer` takes an
order and answers "pending": what became of it is said when asked. A wallet that keeps vouchers
answers at `/gateway.do`: see `benefits.providers.sandbox_vouchers`.
"""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from benefits.providers.http import sign
from benefits.providers.sandbox_vouchers import VOUCHER, Gateway
from zone.core import vault

BODY_BYTES_MAX = 65_536
CLOCK_SECONDS_MAX = 300
ODDS = (
    "refuse",
    "lose_reply",
    "late",
    "twice",
    "other_code",
    "down",
    "mute",
    "keep",
    "codeless",
    "defer",
)
DEFAULT_MOODS: dict[str, float] = {
    **dict.fromkeys(ODDS, 0.0), "delay_ms": 0, "late_ms": 4000, "seed": 1,
}  # fmt: skip
_PAGE = {"after": "0", "limit": "1000000"}
_HOSTS = {"apple_music_trial": "music.apple.com", "icloud_trial": "apps.apple.com"}


def sandbox_secret() -> bytes:
    """The secret that portal and sandbox share without anyone handing it over."""
    return vault.blind_index("sandbox-issuer", "shared secret").hex().encode()


class Book:
    """Every order by its key, kept in a file of JSON lines that only grows."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "issues.jsonl"
        self.lock = threading.Lock()
        self.orders: dict[str, dict[str, Any]] = {}
        self.requests: dict[str, int] = {}
        self.moods = dict(DEFAULT_MOODS)
        self.moods_of: dict[str, dict[str, float]] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                if line.endswith("}"):  # A line cut short by a power failure was never answered.
                    order = json.loads(line)
                    self.orders[order["claim"]] = order
        self.file = self.path.open("a", encoding="utf-8")

    def count_request(self, key: str) -> int:
        with self.lock:
            self.requests[key] = self.requests.get(key, 0) + 1
            return self.requests[key]

    def mood(self, key: str, name: str) -> float:
        return {**self.moods, **self.moods_of.get(key, {})}[name]

    def is_drawn(self, key: str, name: str, number: int) -> bool:
        """Whether the odds fall so for the `number`th request under `key`."""
        text = f"{self.mood(key, 'seed')}:{key}:{name}:{number}"
        draw = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
        return draw < self.mood(key, name)

    def place(self, key: str, asked: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The order under `key` and whether it is new. It is on disk when this returns."""
        with self.lock:
            if key in self.orders:
                return self.orders[key], False
            order: dict[str, Any] = {"claim": key, "kind": asked.get("kind", "")}
            if self.is_drawn(key, "refuse", 1):
                order |= {"status": "refused", "reason": "not_available"}
            elif order["kind"] == VOUCHER:
                number = f"{len(self.orders) + 1:028d}"
                order |= asked | {"status": "issued", "reference": number, "code": ""}
                order["voucher_status"] = "ENABLED"
            elif self.is_drawn(key, "codeless", 1):
                reference = f"ISS-{len(self.orders) + 1:08d}"
                order |= {"status": "issued", "reference": reference, "code": "", "redeem_url": ""}
            else:
                code = self.code(key, "first")
                host = _HOSTS.get(order["kind"], "apps.apple.com")
                order |= {
                    "status": "issued",
                    "reference": f"ISS-{len(self.orders) + 1:08d}",
                    "code": code,
                    "redeem_url": f"https://{host}/redeem?ctx=offercodes&code={code}",
                }
            self._keep(order)
            return order, True

    def change(self, key: str, **fields: str) -> dict[str, Any] | None:
        """The order under `key` with new values; None when there is none. On disk at return."""
        with self.lock:
            if key not in self.orders:
                return None
            self._keep({**self.orders[key], **fields})
            return self.orders[key]

    def _keep(self, order: dict[str, Any]) -> None:
        self.file.write(json.dumps(order) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        self.orders[order["claim"]] = order

    def code(self, key: str, salt: str) -> str:
        digest = hashlib.sha256(f"{self.moods['seed']}:{key}:{salt}".encode()).digest()
        return base64.b32encode(digest)[:16].decode().translate(str.maketrans("", "", "="))


class Handler(BaseHTTPRequestHandler):
    """One request; the book is shared by all of them."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # One packet for head and body, not two that wait for each other's receipt.
    disable_nagle_algorithm = True
    book: ClassVar[Book]
    secret: ClassVar[bytes]

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, {"sandbox": "issuer", "orders": len(self.book.orders)})
        elif urlsplit(self.path).path == "/issues":
            self._list(parse_qs(urlsplit(self.path).query))
        elif not self._is_signed(b""):
            self._answer(401, {"status": "unauthorised"})
        elif self._is_mute():
            self._answer(503, {"status": "down"})
        else:
            key = self.path.removeprefix("/issues/")
            order = self.book.orders.get(key)
            self._answer(200, order) if order else self._answer(404, {"status": "not_found"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            self._answer(413, {"status": "too_long"})
            return
        body = self.rfile.read(length)
        if self.path == "/gateway.do":
            self._pass_to_gateway(body)
            return
        try:
            asked = json.loads(body)
        except ValueError:
            self._answer(400, {"status": "malformed"})
            return
        if self.path == "/control":
            self._control(asked)
        elif self.path.startswith("/vouchers/"):
            self._move_voucher(self.path.removeprefix("/vouchers/"), asked)
        elif not self._is_signed(body):
            self._answer(401, {"status": "unauthorised"})
        elif self.path.startswith("/issues/") and self.path.endswith("/cancel"):
            self._cancel(self.path.removeprefix("/issues/").removesuffix("/cancel"))
        elif self.path != "/issues":
            self._answer(404, {"status": "no_such_address"})
        else:
            self._issue(self.headers.get("Idempotency-Key", ""), asked)

    def _list(self, query: dict[str, list[str]]) -> None:
        after, limit = (int(query.get(name, [rest])[0]) for name, rest in _PAGE.items())
        orders = list(self.book.orders.values())
        self._answer(200, {"orders": orders[after : after + limit]})

    def _is_mute(self) -> bool:
        key = self.path.removeprefix("/issues/")
        return self.book.is_drawn(key, "mute", self.book.count_request(f"{key}?"))

    def _cancel(self, key: str) -> None:
        if self.book.is_drawn(key, "keep", 1):
            self._answer(409, {"status": "refused", "reason": "already_used"})
            return
        order = self.book.change(key, status="canceled")
        self._answer(200, order) if order else self._answer(404, {"status": "not_found"})

    def _pass_to_gateway(self, body: bytes) -> None:
        answer = Gateway(self.book).answer(body)
        if answer is None:
            self.close_connection = True
        else:
            self._send(200, answer)

    def _move_voucher(self, number: str, asked: dict[str, Any]) -> None:
        order = Gateway(self.book).move(number, str(asked.get("status", "")))
        self._answer(200, order) if order else self._answer(404, {"status": "not_found"})

    def _control(self, asked: dict[str, Any]) -> None:
        key = asked.pop("claim", "")
        unknown = [name for name in asked if name not in DEFAULT_MOODS]
        if unknown:
            self._answer(422, {"status": "unknown", "names": unknown})
            return
        if key:
            self.book.moods_of[key] = asked
        else:
            self.book.moods = {**DEFAULT_MOODS, **asked}
        self._answer(200, {"moods": self.book.moods, "for_claims": len(self.book.moods_of)})

    def _issue(self, key: str, asked: dict[str, Any]) -> None:
        if not key or asked.get("claim") != key:
            self._answer(422, {"status": "malformed", "reason": "key and claim differ"})
            return
        number = self.book.count_request(key)
        time.sleep(self.book.mood(key, "delay_ms") / 1000)
        if self.book.is_drawn(key, "down", number):
            self._answer(503, {"status": "down"})
            return
        order, is_new = self.book.place(key, asked)
        if self.book.is_drawn(key, "lose_reply", number):
            self.close_connection = True
            return
        if self.book.is_drawn(key, "late", number):
            time.sleep(self.book.mood(key, "late_ms") / 1000)
        if (
            not is_new
            and order["status"] == "issued"
            and order["code"]
            and self.book.is_drawn(key, "other_code", number)
        ):
            order = {**order, "code": self.book.code(key, f"again {number}")}
        if is_new and self.book.is_drawn(key, "defer", number):
            self._answer(202, {"status": "pending"})
            return
        times = 2 if self.book.is_drawn(key, "twice", number) else 1
        status = 422 if order["status"] == "refused" else 201 if is_new else 200
        self._answer(status, order, times=times)

    def _is_signed(self, body: bytes) -> bool:
        try:
            at = int(self.headers.get("Zone-Timestamp", ""))
        except ValueError:
            return False
        wanted = sign(self.secret, method=self.command, path=self.path, at=at, body=body)
        given = self.headers.get("Zone-Signature", "")
        is_fresh = abs(time.time() - at) <= CLOCK_SECONDS_MAX
        return is_fresh and hmac.compare_digest(wanted.encode(), given.encode())

    def _answer(self, status: int, content: dict[str, Any] | None, *, times: int = 1) -> None:
        self._send(status, json.dumps(content).encode(), times=times)

    def _send(self, status: int, raw: bytes, *, times: int = 1) -> None:
        for _ in range(times):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            if times > 1:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(raw)
        self.wfile.flush()
        if times > 1:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the portal logs what it asked and what it understood."""


def serve(*, port: int, folder: Path) -> None:
    """Answer on loopback until the process ends."""
    Handler.book = Book(folder)
    Handler.secret = sandbox_secret()
    with Server(("127.0.0.1", port), Handler) as server:
        server.serve_forever()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is part of the game."""
