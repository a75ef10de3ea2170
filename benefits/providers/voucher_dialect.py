"""How a wallet's voucher gateway is spoken to: signed forms, and answers signed as they were sent.

The recipe of Alipay's OpenAPI, version 2 (https://opendocs.alipay.com, "RSA2" and "common
parameters"): one address, the method in a parameter, what is asked as JSON in `biz_content`. The
request is signed over its sorted, raw parameters, `sign_type` among them; the answer over the exact
bytes of the object under `<method>_response`. Timestamps are in UTC+8, wherever we run.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

SEND = "alipay.marketing.activity.ordervoucher.send"
QUERY = "alipay.marketing.activity.ordervoucher.query"
INVALID = "alipay.marketing.activity.ordervoucher.invalid"
KEY_BITS_MIN = 2048
SUCCESS, UNAVAILABLE, REFUSED = "10000", "20000", "40004"
_ZONE = timezone(timedelta(hours=8))
_TIME_FORM = "%Y-%m-%d %H:%M:%S"


class DialectError(Exception):
    """What came is not of this dialect, or not signed by who should have. Says a word why."""


def read_private_key(text: str) -> RSAPrivateKey:
    """Our key, PEM or bare base64 as the wallet's tools make it. Raises DialectError."""
    try:
        if "-----BEGIN" in text:
            key = serialization.load_pem_private_key(text.encode(), password=None)
        else:
            der = base64.b64decode("".join(text.split()), validate=True)
            key = serialization.load_der_private_key(der, password=None)
    except (ValueError, TypeError, binascii.Error) as error:
        raise DialectError("no private key") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < KEY_BITS_MIN:
        raise DialectError("no RSA key of 2048 bits or more")
    return key


def read_public_key(text: str) -> RSAPublicKey:
    """The wallet's key, PEM or bare base64. Raises DialectError."""
    try:
        if "-----BEGIN" in text:
            key = serialization.load_pem_public_key(text.encode())
        else:
            der = base64.b64decode("".join(text.split()), validate=True)
            key = serialization.load_der_public_key(der)
    except (ValueError, TypeError, binascii.Error) as error:
        raise DialectError("no public key") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise DialectError("no RSA key of 2048 bits or more")
    return key


def sign(content: bytes, key: RSAPrivateKey) -> str:
    return base64.b64encode(key.sign(content, PKCS1v15(), hashes.SHA256())).decode()


def is_signed(content: bytes, signature: str, key: RSAPublicKey) -> bool:
    try:
        given = base64.b64decode(signature.replace(" ", "+"), validate=True)
        key.verify(given, content, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def content_of(params: Mapping[str, str], *, leave_out: frozenset[str] = frozenset()) -> bytes:
    """The bytes under the signature of a request or a notification."""
    left_out = leave_out | {"sign"}
    kept = sorted((name, value) for name, value in params.items() if value)
    return "&".join(f"{name}={value}" for name, value in kept if name not in left_out).encode()


def make_request(
    method: str,
    biz: Mapping[str, Any],
    *,
    app_id: str,
    key: RSAPrivateKey,
    at: datetime,
    notify_url: str = "",
) -> bytes:
    """The body of a signed call; `notify_url` is where news of what it makes are to go."""
    params = {
        "app_id": app_id,
        "method": method,
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": at.astimezone(_ZONE).strftime(_TIME_FORM),
        "version": "1.0",
        **({"notify_url": notify_url} if notify_url else {}),
        "biz_content": json.dumps(biz, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
    }
    return urlencode({**params, "sign": sign(content_of(params), key)}).encode()


def read_request(
    body: bytes, *, key: RSAPublicKey, now: datetime, slack: timedelta
) -> tuple[dict[str, str], dict[str, Any]]:
    """Parameters and content of a signed call. Raises DialectError."""
    params = read_form(body)
    if params.get("sign_type") != "RSA2" or not is_signed(
        content_of(params), params.get("sign", ""), key
    ):
        raise DialectError("isv.invalid-signature")
    try:
        at = datetime.strptime(params["timestamp"], _TIME_FORM).replace(tzinfo=_ZONE)
        biz = json.loads(params["biz_content"])
    except (KeyError, ValueError) as error:
        raise DialectError("isv.invalid-parameter") from error
    if abs(now - at) > slack or not isinstance(biz, dict):
        raise DialectError("isv.invalid-timestamp")
    return params, biz


@dataclass(frozen=True, slots=True)
class Notification:
    """What a wallet says by itself about a voucher."""

    notify_id: str
    out_biz_no: str
    voucher_id: str
    status: str


def make_notification(
    news: Notification, *, app_id: str, key: RSAPrivateKey, at: datetime
) -> bytes:
    """The body of a signed message from the wallet."""
    params = {
        "notify_id": news.notify_id,
        "app_id": app_id,
        "charset": "utf-8",
        "notify_time": at.astimezone(_ZONE).strftime(_TIME_FORM),
        "biz_content": json.dumps(
            {
                "out_biz_no": news.out_biz_no,
                "voucher_id": news.voucher_id,
                "status": news.status,
            }
        ),
    }
    return urlencode(
        {**params, "sign_type": "RSA2", "sign": sign(content_of(params), key)}
    ).encode()


def read_notification(body: bytes, *, app_id: str, key: RSAPublicKey) -> Notification:
    """A message to us, signed by the wallet. Raises DialectError.

    Most products leave `sign_type` out of what is signed, some keep it in: both are tried.
    """
    params = read_form(body)
    signature = params.get("sign", "")
    if params.get("sign_type") != "RSA2" or not any(
        is_signed(content_of(params, leave_out=left_out), signature, key)
        for left_out in (frozenset({"sign_type"}), frozenset[str]())
    ):
        raise DialectError("isv.invalid-signature")
    if params.get("app_id") != app_id:
        raise DialectError("for somebody else")
    try:
        biz = json.loads(params["biz_content"])
        return Notification(
            params["notify_id"], *(str(biz[n]) for n in ("out_biz_no", "voucher_id", "status"))
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DialectError("isv.invalid-parameter") from error


def read_form(body: bytes) -> dict[str, str]:
    """A form's values, each name once. Raises DialectError."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError as error:
        raise DialectError("no form") from error
    if len({name for name, _ in pairs}) != len(pairs):
        raise DialectError("a name twice")
    return dict(pairs)


def make_answer(method: str, answer: Mapping[str, Any], *, key: RSAPrivateKey) -> bytes:
    """What the gateway says, signed over the bytes it sends."""
    inner = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    name = method.replace(".", "_") + "_response"
    return f'{{"{name}":{inner},"sign":"{sign(inner.encode(), key)}"}}'.encode()


def read_answer(raw: bytes, *, method: str, key: RSAPublicKey) -> dict[str, Any]:
    """The object an answer carries, its signature checked over the bytes as received.

    Raises DialectError. An answer without a signature counts for nothing, a refusal's neither:
    anybody on the way could have written it.
    """
    name = method.replace(".", "_") + "_response"
    try:
        text = raw.decode()
        outer = json.loads(text)
    except ValueError as error:
        raise DialectError("unreadable") from error
    if not isinstance(outer, dict):
        raise DialectError("unreadable")
    name = name if name in outer else "error_response"
    start = text.find(f'"{name}"')
    if start < 0:
        raise DialectError("no response inside")
    place = text.find(":", start + len(name) + 2) + 1
    while text[place : place + 1].isspace():
        place += 1
    inner, end = json.JSONDecoder().raw_decode(text, place)
    if not isinstance(inner, dict) or inner != outer[name]:
        raise DialectError("no response inside")
    if not is_signed(text[place:end].encode(), str(outer.get("sign", "")), key):
        raise DialectError("isv.invalid-signature")
    return inner
