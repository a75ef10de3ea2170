"""Providers that speak first, twice, too early, too late, or against themselves."""

import json
import time
from datetime import timedelta

import pytest

from benefits.models import Alarm, Claim, Code, ProviderMessage
from benefits.providers.http import seal_secret, sign
from benefits.services import grants, provider_messages
from benefits.services.grants import drain_grants
from benefits.services.provider_messages import drain_provider_messages
from credits.queries import get_balance
from tests.benefits.factories import claim, give_credits, make_benefit, make_provider, make_release
from tests.benefits.test_claim_life import TRIAL
from zone.core.clock import database_now
from zone.core.models import StuckRow

SECRET = "a secret of thirty-two letters or more"


@pytest.fixture
def provider(db):
    return make_provider(code="maker", secret_sealed=seal_secret(SECRET))


@pytest.fixture
def made(provider, alice):
    give_credits(alice, 30)
    benefit = make_benefit(price_credits=30, **TRIAL)
    return claim(alice, make_release(benefit, stock=5, provider=provider))


def post(client, body, *, code="maker", secret=SECRET, at=None, path=None):
    path = path or f"/ingest/v1/issuers/{code}/messages"
    raw = json.dumps(body).encode()
    at = int(time.time()) if at is None else at
    signature = sign(secret.encode(), method="POST", path=path, at=at, body=raw)
    return client.post(
        f"/ingest/v1/issuers/{code}/messages", raw, content_type="application/json",
        headers={"Zone-Timestamp": str(at), "Zone-Signature": signature},
    )  # fmt: skip


def issued(made, number="m1", **more):
    return {
        "id": number, "claim": made.public_id, "status": "issued", "reference": "ISS-1",
        "code": "TOLDBYTHEM01", "redeem_url": "https://music.apple.com/redeem?code=TOLDBYTHEM01",
        **more,
    }  # fmt: skip


@pytest.mark.stuck
def test_a_message_that_cannot_be_opened_does_not_hold_up_the_next(client, made):
    post(client, issued(made, "m1"))
    post(client, issued(made, "m2"))
    ProviderMessage.objects.filter(message_id="m1").update(sealed=b"damaged")

    drain_provider_messages()

    made.refresh_from_db()
    assert made.state == "granted"
    first = ProviderMessage.objects.get(message_id="m1")
    assert (first.state, StuckRow.objects.get().row) == ("waiting", str(first.pk))


def test_told_before_anybody_asked_it_is_granted_once(client, made, alice):
    assert post(client, issued(made)).status_code == 202
    kept = ProviderMessage.objects.get()
    assert b"TOLDBYTHEM01" not in bytes(kept.sealed)
    assert post(client, issued(made)).status_code == 200
    assert post(client, issued(made, "m2")).status_code == 202
    assert (drain_provider_messages(), drain_provider_messages()) == (2, 0)
    made.refresh_from_db()
    assert (made.state, made.provider_reference) == ("granted", "ISS-1")
    assert (Code.objects.count(), get_balance(alice.pk).available) == (1, 0)
    outcomes = ProviderMessage.objects.order_by("id").values_list("state", "outcome", "sealed")
    assert [(state, word, bytes(sealed)) for state, word, sealed in outcomes] == [
        ("done", "granted", b""), ("done", "known", b""),
    ]  # fmt: skip
    assert Alarm.objects.count() == 0
    assert made.events.filter(to_state="granted").count() == 1


def test_refused_by_message_everything_comes_back(client, made, alice):
    body = {"id": "m1", "claim": made.public_id, "status": "refused", "reason": "not_available"}
    post(client, body)
    drain_provider_messages()
    made.refresh_from_db()
    assert (made.state, made.failure_code) == ("failed", "not_available")
    assert get_balance(alice.pk).available == 30


def test_out_of_order_the_first_answer_counts_and_the_other_is_an_alarm(client, made):
    post(client, issued(made, "m2"))
    drain_provider_messages()
    body = {"id": "m1", "claim": made.public_id, "status": "refused", "reason": "late"}
    post(client, body)
    drain_provider_messages()
    made.refresh_from_db()
    assert made.state == "granted"
    assert Alarm.objects.get().subject == made.public_id
    assert ProviderMessage.objects.get(message_id="m1").outcome == "contradicts"


def test_another_code_by_message_is_an_alarm_and_changes_nothing(client, made):
    post(client, issued(made))
    drain_provider_messages()
    before = bytes(Code.objects.get().sealed)
    post(client, issued(made, "m2", code="ANOTHERCODE2"))
    drain_provider_messages()
    assert bytes(Code.objects.get().sealed) == before
    assert Alarm.objects.get().kind == "provider_code"


def test_told_while_our_own_call_is_under_way_it_is_one_grant(client, made, monkeypatch):
    """The message is acted on after the provider answered and before our commit."""
    settle = grants.settle_all

    def overtaken(answers):
        assert post(client, issued(made)).status_code == 202
        drain_provider_messages()
        settle(answers)

    monkeypatch.setattr(grants, "settle_all", overtaken)
    monkeypatch.setattr(
        grants, "ask", lambda provider, claim: grants.Issued("ISS-1", "TOLDBYTHEM01")
    )
    drain_grants()
    made.refresh_from_db()
    assert (made.state, Code.objects.count(), Alarm.objects.count()) == ("granted", 1, 0)
    assert made.events.filter(to_state="granted").count() == 1


def test_about_an_order_we_do_not_know_yet_it_is_parked(client, made):
    """As if our commit came later: the same message is understood once the claim is there."""
    early = issued(made) | {"claim": "clm_" + "0" * 26}
    post(client, early)
    assert drain_provider_messages() == 1
    message = ProviderMessage.objects.get()
    assert (message.state, message.outcome) == ("waiting", "parked")
    assert message.next_attempt_at > database_now()
    ProviderMessage.objects.update(claim_public_id=made.public_id, next_attempt_at=database_now())
    assert drain_provider_messages() == 1
    made.refresh_from_db()
    assert made.state == "granted"


def test_about_no_order_of_ours_it_ends_after_a_day_with_an_alarm(client, made):
    post(client, issued(made) | {"claim": "clm_" + "0" * 26})
    drain_provider_messages()
    then = database_now() - provider_messages.PARKED_FOR - timedelta(minutes=1)
    ProviderMessage.objects.update(received_at=then, next_attempt_at=then)
    drain_provider_messages()
    message = ProviderMessage.objects.get()
    assert (message.state, message.outcome, bytes(message.sealed)) == (
        "unknown", "no such order", b"",
    )  # fmt: skip
    assert Alarm.objects.count() == 1


def test_another_providers_order_is_none_of_its_business(client, made):
    make_provider(code="stranger", secret_sealed=seal_secret(SECRET + "!"))
    assert post(client, issued(made), code="stranger", secret=SECRET + "!").status_code == 202
    drain_provider_messages()
    made.refresh_from_db()
    assert made.state == "reserved"


@pytest.mark.parametrize(
    ("label", "options", "status"),
    [
        ("another secret", {"secret": "x" * 32}, 401),
        ("an old time", {"at": 1_700_000_000}, 401),
        ("another path", {"path": "/ingest/v1/issuers/other/messages"}, 401),
        ("nobody of that name", {"code": "nobody"}, 401),
    ],
)
def test_what_is_not_signed_is_not_kept(client, made, label, options, status):
    assert post(client, issued(made), **options).status_code == status
    assert ProviderMessage.objects.count() == 0


def test_what_is_no_message_is_named(client, made):
    assert post(client, {**issued(made), "id": ""}).status_code == 422
    assert post(client, {**issued(made), "claim": "clm_1"}).status_code == 422
    assert post(client, [1]).status_code == 422
    assert client.get("/ingest/v1/issuers/maker/messages").status_code == 405
    assert ProviderMessage.objects.count() == 0


def test_an_order_that_takes_its_time_is_no_silence(alice, issuer):
    provider = make_provider(kind="sandbox", timeout_ms=2_000)
    issuer.control(defer=1)
    made = claim(alice, make_release(make_benefit(**TRIAL), stock=5, provider=provider))
    drain_grants()
    made.refresh_from_db()
    assert (made.state, made.provider_status, made.attempts) == ("reserved", "unknown", 1)
    Claim.objects.filter(pk=made.pk).update(next_attempt_at=database_now())
    drain_grants()
    made.refresh_from_db()
    assert made.state == "granted"
    assert len([order for order in issuer.orders() if order == made.public_id]) == 1
