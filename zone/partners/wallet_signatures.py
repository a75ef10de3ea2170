"""Signatures of wallets and acquirers in the Alipay+ style: RSA with SHA-256 over request and body.

The string to sign is two lines: method and path, then client, time and the body byte for byte
(https://docs.alipayplus.com, "Sign a request and validate the signature"). PKCS #1 v1.5 as in
RFC 8017, section 8.2.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_BITS_LEAST = 2048
# Two names for the same thing. SHA-1 ("RSA", "RSA1") is refused by not being here.
ALGORITHMS = {"RSA256", "RSA2"}


class BadSignature(Exception):
    """The signature does not read or does not fit; the message must not be believed."""


class BadKey(ValueError):
    """A public key that we do not take; the text says why."""


@dataclass(frozen=True, slots=True)
class SignatureHeader:
    algorithm: str
    key_version: int
    signature: bytes


def read_signature_header(value: str) -> SignatureHeader:
    """`algorithm=RSA256,keyVersion=1,signature=<URL-encoded base64>` taken apart.

    Some senders forget the URL encoding, and some stacks then turn each plus into a space: both
    are read as meant, since no space can occur in base64.

    Raises BadSignature when a part is missing, comes twice, or does not decode.
    """
    parts: dict[str, str] = {}
    for part in value.split(","):
        name, mark, content = part.strip().partition("=")
        if not mark or name in parts:
            raise BadSignature("the header is not a list of three parts")
        parts[name] = content
    if parts.keys() != {"algorithm", "keyVersion", "signature"}:
        raise BadSignature("the header is not a list of three parts")
    if parts["algorithm"] not in ALGORITHMS:
        raise BadSignature("the algorithm is not RSA with SHA-256")
    version = parts["keyVersion"]
    if not (version.isascii() and version.isdecimal() and len(version) <= 4):
        raise BadSignature("the key version is not a number")
    try:
        signature = base64.b64decode(
            unquote(parts["signature"]).replace(" ", "+"), validate=True
        )  # fmt: skip
    except (binascii.Error, ValueError) as error:
        raise BadSignature("the signature is not base64") from error
    return SignatureHeader(parts["algorithm"], int(version), signature)


def string_to_sign(*, method: str, path: str, client_id: str, time: str, body: bytes) -> bytes:
    """What both ends sign. `path` is the one the sender called, `time` its header's very text."""
    return f"{method} {path}\n{client_id}.{time}.".encode() + body


def load_public_key(text: str) -> rsa.RSAPublicKey:
    """An RSA key of 2048 bits or more, from PEM or from bare base64 of a SubjectPublicKeyInfo.

    Raises BadKey for anything else.
    """
    text = text.strip()
    try:
        if text.startswith("-----"):
            key = serialization.load_pem_public_key(text.encode())
        else:
            der = base64.b64decode("".join(text.split()), validate=True)
            key = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("not a public key") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadKey("not an RSA key")
    if key.key_size < KEY_BITS_LEAST:
        raise BadKey(f"shorter than {KEY_BITS_LEAST} bits")
    return key


def verify(public_key: rsa.RSAPublicKey, *, message: bytes, signature: bytes) -> None:
    """`message` was signed by the owner of `public_key`. Raises BadSignature when it was not."""
    try:
        public_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise BadSignature("the signature does not fit") from error


def read_request_time(value: str) -> datetime:
    """The instant of a `Request-Time` header. Raises ValueError without a zone."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return moment.astimezone(UTC)
