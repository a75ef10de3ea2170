"""Signatures that somebody else made: a published test key, and texts signed with its other half."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from zone.partners.wallet_signatures import (
    BadKey,
    BadSignature,
    load_public_key,
    read_signature_header,
    string_to_sign,
    verify,
)

PUBLISHED = json.loads(Path(__file__).with_name("signature-vectors.json").read_text("utf-8"))
KEY = load_public_key(PUBLISHED["public_key"])
VECTORS = PUBLISHED["vectors"]


@pytest.mark.parametrize("name", ["request", "notification", "message"])
def test_a_published_signature_verifies(name):
    text, signature = VECTORS[name]["text"], base64.b64decode(VECTORS[name]["signature"])

    verify(KEY, message=text.encode(), signature=signature)
    with pytest.raises(BadSignature):
        verify(KEY, message=text.encode()[:-1], signature=signature)


def test_the_notification_with_its_sign_type_kept_does_not_verify():
    text = VECTORS["notification"]["text"].replace("&sign_scene", "&sign_type=RSA2&sign_scene")

    with pytest.raises(BadSignature):
        verify(KEY, message=text.encode(), signature=base64.b64decode(
            VECTORS["notification"]["signature"]))  # fmt: skip


def message_parts():
    first, _, rest = VECTORS["message"]["text"].partition("\n")
    method, path = first.split(" ")
    client_id, rest = rest.split(".", 1)
    time, body = rest.split(".", 1)
    return {"method": method, "path": path, "client_id": client_id, "time": time,
            "body": body.encode()}  # fmt: skip


def test_the_string_to_sign_is_rebuilt_from_the_request():
    assert string_to_sign(**message_parts()) == VECTORS["message"]["text"].encode()
    assert len(string_to_sign(**message_parts())) == 230


@pytest.mark.parametrize(
    ("label", "change"),
    [
        ("body", {"body": b'{"authorizationNotifyType":"TOKEN_CANCELEd"}'}),
        ("time re-formatted", {"time": "2026-01-02T03:04:05+00:00"}),
        ("prefix missing", {"path": "/v1/aplus/authorizations/authNotify"}),
        ("client", {"client_id": "TEST_5Y00000000000002"}),
        ("method", {"method": "PUT"}),
    ],
)
def test_any_part_changed_does_not_verify(label, change):
    signature = base64.b64decode(VECTORS["message"]["signature"])

    with pytest.raises(BadSignature):
        verify(KEY, message=string_to_sign(**(message_parts() | change)), signature=signature)


@pytest.mark.parametrize(
    "encode", [lambda s: quote(s, safe=""), str, lambda s: s.replace("+", " ")]
)
def test_the_header_reads_encoded_or_not(encode):
    written = encode(VECTORS["message"]["signature"])

    header = read_signature_header(f"algorithm=RSA256,keyVersion=7,signature={written}")

    assert header.key_version == 7
    verify(KEY, message=VECTORS["message"]["text"].encode(), signature=header.signature)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "signature=AAAA",
        "algorithm=RSA256,keyVersion=1",
        "algorithm=RSA1,keyVersion=1,signature=AAAA",
        "algorithm=rsa256,keyVersion=1,signature=AAAA",
        "algorithm=RSA256,keyVersion=x,signature=AAAA",
        "algorithm=RSA256,keyVersion=99999,signature=AAAA",
        "algorithm=RSA256,keyVersion=1,signature=%%",
        "algorithm=RSA256,keyVersion=1,signature=AAAA,signature=BBBB",
        "algorithm=RSA256,keyVersion=1,signature=AAAA,more=1",
    ],
)
def test_a_header_that_does_not_read_is_refused(value):
    with pytest.raises(BadSignature):
        read_signature_header(value)


def test_sha1_over_the_same_text_is_refused():
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = VECTORS["message"]["text"].encode()

    with pytest.raises(BadSignature):
        verify(own.public_key(), message=text,
               signature=own.sign(text, padding.PKCS1v15(), hashes.SHA1()))  # fmt: skip  # noqa: S303
    verify(own.public_key(), message=text,
           signature=own.sign(text, padding.PKCS1v15(), hashes.SHA256()))  # fmt: skip


def pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()  # fmt: skip


def test_only_long_rsa_keys_are_taken():
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    other = ec.generate_private_key(ec.SECP256R1())

    for text in ["", "nonsense", pem(short), pem(other)]:
        with pytest.raises(BadKey):
            load_public_key(text)
