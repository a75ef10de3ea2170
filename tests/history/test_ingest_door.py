import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.db import OperationalError
from django.test import Client

from tests.history.checks import checksums
from tests.history.messages import bill, event, refund, user_id_of
from zone.core import clock
from zone.history import ingest as door
from zone.history.models import Charge, Refund, Subscription, UnlinkedMessage
from zone.partners import limiter
from zone.partners.ingest_clients import IngestClient

BILL = "/ingest/v1/ALIPAY_CN/points/bill/notify"
REFUND = "/ingest/v1/ALIPAY_CN/points/refund/notify"
SUBSCRIPTION = "/ingest/v1/ALIPAY_CN/subscriptions/notify"
SUCCESS = {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}}


@pytest.fixture(scope="module")
def private_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def core(db, private_key):
    """The wallet core of ALIPAY_CN, as it signs and sends."""
    public = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    IngestClient.objects.create(
        client_id="TEST_CN_0001", wallet_code="ALIPAY_CN", public_key=public.decode()
    )
    return Core(private_key)


class Core:
    def __init__(self, private_key):
        self.private_key = private_key
        self.client = Client(enforce_csrf_checks=True)

    def send(self, path, body, *, time=None, signed=None, algorithm=None, version=1,
             client_id="TEST_CN_0001", encode=quote, sent_time=None, name="RSA256", **headers):  # fmt: skip
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        time = time or clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"POST {path}\n{client_id}.{time}.".encode() + (raw if signed is None else signed)
        signature = self.private_key.sign(text, padding.PKCS1v15(), algorithm or hashes.SHA256())
        written = encode(base64.b64encode(signature).decode())
        sent = {
            "Client-Id": client_id,
            "Request-Time": sent_time or time,
            "Signature": f"algorithm={name},keyVersion={version},signature={written}",
            **headers,
        }
        return self.client.post(path, raw, content_type="application/json", headers=sent)


def outcome_of(response):
    result = response.json()["result"]
    return response.status_code, result["resultCode"], result["resultStatus"]


def test_each_kind_of_message_is_stored(core, alice):
    user = user_id_of(alice)

    answers = [
        core.send(BILL, bill(user, bill_no="B1")),
        core.send(REFUND, refund(user, "B1", value="800")),
        core.send(SUBSCRIPTION, event(user)),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()) == (200, SUCCESS)
        assert datetime.fromisoformat(answer["Response-Time"]).tzinfo is not None
    assert (Charge.objects.get().refunded, Refund.objects.count()) == (800, 1)
    assert Subscription.objects.get().status == "active"


def test_a_repeat_is_a_success_and_changes_nothing(core, alice):
    body = bill(user_id_of(alice))
    core.send(BILL, body)
    before = checksums()

    assert outcome_of(core.send(BILL, body)) == (200, "SUCCESS", "S")
    assert checksums() == before


def test_a_contradiction_is_refused_for_good(core, alice):
    body = bill(user_id_of(alice))
    core.send(BILL, body)

    answer = core.send(BILL, {**body, "orderAmount": {"currency": "CNY", "value": "1"}})

    assert outcome_of(answer) == (200, "REPEAT_REQ_INCONSISTENT", "F")
    assert Charge.objects.get().amount == 6800


def test_an_unknown_member_is_a_success_and_waits(core):
    assert outcome_of(core.send(BILL, bill("2088000000000404"))) == (200, "SUCCESS", "S")
    assert (Charge.objects.count(), UnlinkedMessage.objects.count()) == (0, 1)


@pytest.mark.parametrize(
    ("label", "raw"),
    [
        ("no JSON", b"{"),
        ("not UTF-8", b'{"userId":"\xff"}'),
        ("a name twice", b'{"userId":"1","userId":"2"}'),
        ("too deep", b"[" * 400 + b"]" * 400),
        ("no number", b'{"value":NaN}'),
        ("a list", b"[]"),
        ("empty", b""),
        ("a field missing", b'{"userId":"2088"}'),
    ],
)
def test_a_signed_message_that_makes_no_sense_is_illegal(core, label, raw):
    assert outcome_of(core.send(BILL, raw)) == (400, "PARAM_ILLEGAL", "F")
    assert (Charge.objects.count(), UnlinkedMessage.objects.count()) == (0, 0)


BAD = "INVALID_SIGNATURE"


@pytest.mark.parametrize(
    ("label", "change", "code"),
    [
        ("unknown client", {"client_id": "TEST_CN_9999"}, "INVALID_CLIENT"),
        ("another body was signed", {"signed": b"{}"}, BAD),
        ("SHA-1", {"algorithm": hashes.SHA1()}, BAD),  # noqa: S303
        ("SHA-1 by name", {"name": "RSA1"}, BAD),
        ("another key version", {"version": 2}, BAD),
        ("time re-formatted", {"sent_time": "TZ"}, BAD),
        ("no signature", {"Signature": ""}, BAD),
        ("half a signature", {"Signature": "algorithm=RSA256,keyVersion=1"}, BAD),
        ("no base64", {"Signature": "algorithm=RSA256,keyVersion=1,signature=%%%"}, BAD),
        ("eleven minutes late", {"time": -11}, "PARAM_ILLEGAL"),
        ("eleven minutes early", {"time": 11}, "PARAM_ILLEGAL"),
        ("no time", {"time": "soon"}, "PARAM_ILLEGAL"),
        ("a time without zone", {"time": "2026-11-20T12:00:00"}, "PARAM_ILLEGAL"),
    ],
)
def test_a_message_that_is_not_believed_is_refused(core, alice, label, change, code):
    if isinstance(change.get("time"), int):
        moment = clock.now() + timedelta(minutes=change["time"])
        change = {"time": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if change.get("sent_time") == "TZ":
        now = clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        change = {"time": f"{now}Z", "sent_time": f"{now}+00:00"}
    before = checksums()

    answer = core.send(BILL, bill(user_id_of(alice)), **change)

    assert outcome_of(answer) == (401, code, "F")
    assert checksums() == before


def test_one_byte_changed_on_the_way_is_refused(core, alice):
    raw = json.dumps(bill(user_id_of(alice))).encode()

    answer = core.send(BILL, raw.replace(b"6800", b"6801"), signed=raw)

    assert outcome_of(answer) == (401, BAD, "F")


def test_fields_in_another_order_are_another_body(core, alice):
    body = bill(user_id_of(alice))
    turned = json.dumps(dict(reversed(body.items()))).encode()

    assert outcome_of(core.send(BILL, turned, signed=json.dumps(body).encode()))[1] == BAD


def test_a_client_of_another_wallet_is_unknown_here(core, alice):
    path = "/ingest/v1/GCASH/points/bill/notify"

    assert outcome_of(core.send(path, bill("1", currency="PHP"))) == (401, "INVALID_CLIENT", "F")


def test_a_closed_client_is_unknown(core, alice):
    IngestClient.objects.update(is_active=False)

    assert outcome_of(core.send(BILL, bill(user_id_of(alice))))[1] == "INVALID_CLIENT"


@pytest.mark.parametrize("encode", [quote, str, lambda text: text.replace("+", " ")])
def test_a_signature_is_read_however_it_was_encoded(core, alice, encode):
    answer = core.send(BILL, bill(user_id_of(alice)), encode=encode)

    assert outcome_of(answer) == (200, "SUCCESS", "S")


def test_two_key_versions_work_side_by_side(core, alice):
    newer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = newer.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    IngestClient.objects.create(
        client_id="TEST_CN_0001",
        wallet_code="ALIPAY_CN",
        key_version=2,
        public_key=base64.b64encode(public).decode(),
    )

    old = core.send(BILL, bill(user_id_of(alice)))
    new = Core(newer).send(BILL, bill(user_id_of(alice)), version=2)

    assert (outcome_of(old)[1], outcome_of(new)[1]) == ("SUCCESS", "SUCCESS")


def test_a_body_above_the_limit_is_refused_unread(core):
    answer = core.send(BILL, b" " * (door.BODY_BYTES_MAX + 1))

    assert outcome_of(answer) == (413, "PARAM_ILLEGAL", "F")


def test_only_posts_are_heard(core):
    answer = core.client.get(BILL)

    assert outcome_of(answer) == (405, "PARAM_ILLEGAL", "F")
    assert answer["Allow"] == "POST"


def test_too_many_messages_are_asked_to_come_again(core, alice, monkeypatch):
    monkeypatch.setattr(door, "POLICY", limiter.Policy("ingest-test", 1, 60))
    first = core.send(BILL, bill(user_id_of(alice)))
    second = core.send(BILL, bill(user_id_of(alice)))

    assert outcome_of(first) == (200, "SUCCESS", "S")
    assert outcome_of(second) == (429, "REQUEST_TRAFFIC_EXCEED_LIMIT", "U")
    assert Charge.objects.count() == 1


def test_without_storage_the_sender_comes_again(core, alice, monkeypatch):
    def no_storage(*args, **kwargs):
        raise OperationalError("the connection is gone")

    monkeypatch.setattr("zone.history.services.ingest.write", no_storage)
    body = bill(user_id_of(alice))

    assert outcome_of(core.send(BILL, body)) == (503, "UNKNOWN_EXCEPTION", "U")
    assert Charge.objects.count() == 0
    monkeypatch.undo()
    assert outcome_of(core.send(BILL, body)) == (200, "SUCCESS", "S")


def test_unknown_paths_are_not_found(core):
    assert core.client.post("/ingest/v1/ALIPAY_CN/points/other").status_code == 404
