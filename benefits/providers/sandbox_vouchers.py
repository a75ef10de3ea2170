"""The sandbox issuer's second tongue: a wallet's voucher gateway at `/gateway.do`.

Vouchers stand in the same book as trials and answer to the same moods. `POST /vouchers/<number>`
with `{"status": "USED"}` is the person in the wallet: uses it, throws it away.
"""

import json
import os
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings

from benefits.providers import voucher_dialect as dialect
from benefits.providers.voucher_dialect import DialectError
from zone.core import clock

if TYPE_CHECKING:
    from benefits.providers.sandbox_issuer import Book

APP_ID = "2021000000000000"
KEY_FILE = "sandbox-voucher-keys.json"
VOUCHER = "wallet_voucher"
STATUSES = ("ENABLED", "USING", "USED", "EXPIRED", "DISABLED", "DELETE", "TRANSFER")
_CLOCK_SLACK = timedelta(minutes=5)
_BITS = 2048
_NOTIFY_PAUSES_SECONDS = (1, 2, 4, 8, 16, 32)


@lru_cache(maxsize=4)
def sandbox_keys(folder: Path | None = None) -> tuple[RSAPrivateKey, RSAPrivateKey]:
    """The portal's key and the wallet's, made by whoever of the two needs them first."""
    path = (folder or settings.ZONE_DATA) / KEY_FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_suffix(f".{os.getpid()}")
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump([_pem(rsa.generate_private_key(65537, _BITS)) for _ in range(2)], file)
        with suppress(FileExistsError):
            os.link(made, path)  # Of two makers the first one's stay.
        made.unlink()
    portal, wallet = json.loads(path.read_text())
    return dialect.read_private_key(portal), dialect.read_private_key(wallet)


def _pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


class Gateway:
    """What the wallet answers. None is a connection that is dropped without a word."""

    def __init__(self, book: "Book") -> None:
        self.book = book

    def answer(self, body: bytes) -> bytes | None:
        portal, wallet = sandbox_keys()
        method = "error"
        try:
            params, biz = dialect.read_request(
                body, key=portal.public_key(), now=clock.now(), slack=_CLOCK_SLACK
            )
            method, notify_url = params.get("method", ""), params.get("notify_url", "")
            verbs: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
                dialect.SEND: partial(self._send, notify_url=notify_url),
                dialect.QUERY: self._query,
                dialect.INVALID: self._invalid,
            }
            if params.get("app_id") != APP_ID or method not in verbs:
                raise DialectError("isv.insufficient-isv-permissions")
            answer = verbs[method](biz)
        except DialectError as error:
            answer = {"code": "40002", "msg": "Invalid Arguments", "sub_code": str(error)}
        return None if answer is None else dialect.make_answer(method, answer, key=wallet)

    def _send(self, biz: dict[str, Any], *, notify_url: str) -> dict[str, Any] | None:
        names = ("activity_id", "out_biz_no", "user_id", "merchant_access_mode")
        if not all(isinstance(biz.get(name), str) and biz[name] for name in names):
            raise DialectError("isv.missing-parameter")
        key, book = biz["out_biz_no"], self.book
        number = book.count_request(key)
        time.sleep(book.mood(key, "delay_ms") / 1000)
        if book.is_drawn(key, "down", number):
            return {"code": dialect.UNAVAILABLE, "msg": "Service Currently Unavailable"}
        asked = {"activity_id": biz["activity_id"], "user_id": biz["user_id"]}
        order, _ = book.place(key, {"kind": VOUCHER, "notify_url": notify_url, **asked})
        if book.is_drawn(key, "lose_reply", number):
            return None
        if book.is_drawn(key, "late", number):
            time.sleep(book.mood(key, "late_ms") / 1000)
        if order["status"] == "refused":
            return _refusal("USER_NOT_FOUND")
        if any(order[name] != value for name, value in asked.items()):
            return _refusal("OUT_BIZ_NO_REUSED")
        return _success(voucher_id=order["reference"], out_biz_no=key)

    def _query(self, biz: dict[str, Any]) -> dict[str, Any]:
        order = self.find(str(biz.get("voucher_id", "")))
        if order is None:
            return _refusal("VOUCHER_NOT_EXIST")
        if self.book.is_drawn(order["claim"], "mute", self.book.count_request(order["claim"])):
            return {"code": dialect.UNAVAILABLE, "msg": "Service Currently Unavailable"}
        return _success(voucher_id=order["reference"], status=order["voucher_status"])

    def _invalid(self, biz: dict[str, Any]) -> dict[str, Any]:
        order = self.find(str(biz.get("voucher_id", "")))
        if order is None:
            return _refusal("VOUCHER_NOT_EXIST")
        if order["voucher_status"] == "USED" or self.book.is_drawn(order["claim"], "keep", 1):
            return _refusal("VOUCHER_STATUS_ERROR")
        if order["voucher_status"] != "DISABLED":
            self.book.change(order["claim"], status="canceled", voucher_status="DISABLED")
        return _success(voucher_id=order["reference"])

    def move(self, number: str, status: str) -> dict[str, Any] | None:
        """The person in the wallet does something with a voucher, and whoever sent it is told."""
        order = self.find(number)
        if order is None or status not in STATUSES:
            return None
        changed = self.book.change(order["claim"], voucher_status=status)
        if order.get("notify_url"):
            threading.Thread(target=_notify, args=(dict(order), status), daemon=True).start()
        return changed

    def find(self, number: str) -> dict[str, Any] | None:
        """The order that made the voucher of this number."""
        for order in list(self.book.orders.values()):
            if order.get("reference") == number and order["kind"] == VOUCHER:
                return order
        return None


def _notify(order: dict[str, Any], status: str) -> None:
    """Tell it until it is heard, as the wallet does, though not for a whole day."""
    news = dialect.Notification(
        f"{order['reference']}-{status}", order["claim"], order["reference"], status
    )
    for pause in _NOTIFY_PAUSES_SECONDS:
        body = dialect.make_notification(news, app_id=APP_ID, key=sandbox_keys()[1], at=clock.now())
        with suppress(OSError):
            request = urllib.request.Request(  # noqa: S310  The portal's own address.
                order["notify_url"],
                data=body,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                if answer.read(16) == b"success":
                    return
        time.sleep(pause)


def _success(**content: str) -> dict[str, Any]:
    return {"code": dialect.SUCCESS, "msg": "Success", **content}


def _refusal(reason: str) -> dict[str, Any]:
    return {"code": dialect.REFUSED, "msg": "Business Failed", "sub_code": reason}
