"""The wallet's signature recipe: RSASSA-PKCS1-v1_5 with SHA-256 over sorted parameters.

As published for Alipay's OpenAPI (https://opendocs.alipay.com, "RSA2"): drop `sign` and
`sign_type`, drop empty values, sort by name, join `name=value` with `&` on raw values, sign,
base64.
"""

import base64
import binascii
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

_NOT_SIGNED = {"sign", "sign_type"}


def content_to_sign(params: Mapping[str, str]) -> bytes:
    """The bytes under the signature of a return or a notification."""
    parts = [
        f"{name}={params[name]}"
        for name in sorted(params)
        if name not in _NOT_SIGNED and params[name]
    ]
    return "&".join(parts).encode()


def sign(params: Mapping[str, str], key: RSAPrivateKey) -> str:
    """The `sign` parameter for `params`."""
    return base64.b64encode(key.sign(content_to_sign(params), PKCS1v15(), hashes.SHA256())).decode()


def is_signed(params: Mapping[str, str], key: RSAPublicKey) -> bool:
    """Whether `params` carry a signature of `key`'s owner over exactly these values."""
    if params.get("sign_type") != "RSA2":
        return False
    try:
        # Some senders forget to URL-encode base64, which turns + into a space.
        signature = base64.b64decode(params.get("sign", "").replace(" ", "+"), validate=True)
        key.verify(signature, content_to_sign(params), PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
