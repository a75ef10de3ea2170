"""Granting through a provider that behaves like real ones: slow, silent, forgetful."""

import logging
from datetime import timedelta

import httpx
import pytest
from django.db import connection

from benefits import queries
from benefits.models import Claim, Code
from benefits.providers.base import Issued, Unknown
from benefits.providers.http import sign
from benefits.providers.sandbox_issuer import sandbox_secret
from benefits.services import grants
from benefits.services.pools import open_code
from benefits.services.reveal import reveal_claim
from tests.benefits.factories import (
    claim,
    give_credits,
    make_benefit,
    make_provider,
    make_release,
)
from tests.benefits.test_claim_benefit import balance
from zone.core.clock import database_now
from zone.notices.models import Notice


@pytest.fixture
def release(db, issuer):
    provider = make_provider(kind="sandbox", timeout_ms=400, attempts_max=4)
    benefit = make_benefit(
        kind="apple_music_trial",
        detail={"service": "apple_music", "trial_period": "P3M"},
        price_credits=300,
    )
    return make_release(benefit, stock=20, provider=provider)


@pytest.fixture
def waiting(alice, release):
    give_credits(alice, 500)
    return claim(alice, release)


def make_due(made: Claim) -> None:
    """Let the pause before the next try be over."""
    Claim.objects.filter(pk=made.pk).update(next_attempt_at=database_now() - timedelta(seconds=1))


def test_a_grant_captures_keeps_the_code_and_tells(waiting, alice, issuer):
    assert balance(alice)[:2] == (200, 300)
    assert grants.drain_grants() == 1
    waiting.refresh_from_db()
    order = issuer.orders()[waiting.public_id]
    assert (waiting.state, waiting.provider_reference, waiting.attempts) == (
        "granted", order["reference"], 1,
    )  # fmt: skip
    assert balance(alice)[:2] == (200, 0)
    code = queries.find_code(waiting)
    assert open_code(code).code == order["code"]
    assert code.last_four == order["code"][-4:]
    notice = Notice.objects.get(member=alice)
    assert (notice.kind, notice.link) == ("claim_granted", f"/me/benefits/{waiting.public_id}")
    shown = reveal_claim(claim=waiting, now=database_now(), actor="member:test")
    assert (shown.code, shown.redeem_url) == (order["code"], order["redeem_url"])
    assert grants.drain_grants() == 0


def test_a_refusal_gives_everything_back(waiting, alice, release, issuer):
    issuer.control(refuse=1)
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.failure_code, waiting.holds_slot) == (
        "failed", "not_available", False,
    )  # fmt: skip
    assert balance(alice)[:2] == (500, 0)
    assert list(release.returned_slots.values_list("slot", flat=True)) == [waiting.slot]
    assert Notice.objects.get(member=alice).facts["credits"] == 300
    assert claim(alice, release).nth == 1, "a refused claim does not bar the next try"


@pytest.mark.parametrize("fault", ["lose_reply", "late"])
def test_a_lost_answer_is_asked_about_not_repeated(waiting, alice, issuer, fault):
    issuer.control(**{fault: 1, "late_ms": 1200})
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.provider_status) == ("reserved", "unknown")
    assert balance(alice)[:2] == (200, 300), "not knowing gives nothing back"
    make_due(waiting)
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == ("granted", 2)
    assert list(issuer.orders()).count(waiting.public_id) == 1
    assert balance(alice)[:2] == (200, 0)


def test_an_answer_given_twice_is_one_grant(waiting, issuer):
    issuer.control(twice=1)
    grants.drain_grants()
    waiting.refresh_from_db()
    assert waiting.state == "granted"
    assert waiting.events.filter(cause="grant").count() == 1


def test_the_first_code_stays_and_another_one_is_an_alarm(waiting, issuer, caplog):
    grants.drain_grants()
    first = open_code(queries.find_code(waiting)).code
    with caplog.at_level(logging.ERROR):
        assert grants.grant(waiting, Issued("ISS-OTHER", "SOMETHINGELSE1", "")) is False
    assert "issued something else" in caplog.text
    assert "SOMETHINGELSE1" not in caplog.text
    assert open_code(queries.find_code(waiting)).code == first
    waiting.refresh_from_db()
    assert waiting.provider_reference != "ISS-OTHER"


def test_an_issuer_that_changes_its_code_on_retry_is_not_believed(waiting, issuer):
    """The reply is lost; the question after it gets the first code, whatever a retry would say."""
    issuer.control(lose_reply=1, other_code=1)
    grants.drain_grants()
    first = issuer.orders()[waiting.public_id]["code"]
    make_due(waiting)
    grants.drain_grants()
    assert open_code(queries.find_code(waiting)).code == first


def test_a_code_already_in_another_hand_is_never_granted(waiting, bob, release, issuer, caplog):
    give_credits(bob, 500)
    other = claim(bob, release)
    assert grants.grant(other, Issued("ISS-X", "SAMECODE1234", ""))
    with caplog.at_level(logging.ERROR):
        grants.settle(waiting, Issued("ISS-Y", "SAMECODE1234", ""))
    assert "repeated a code" in caplog.text
    waiting.refresh_from_db()
    assert (waiting.state, Code.objects.count()) == ("reserved", 1)


def test_silence_ends_after_the_last_try_with_the_credits_back(waiting, alice, issuer, caplog):
    issuer.control(down=1)
    for attempt in range(1, 5):
        grants.drain_grants()
        waiting.refresh_from_db()
        assert waiting.attempts == attempt
        if attempt < 4:
            pause = (waiting.next_attempt_at - waiting.updated_at).total_seconds()
            assert pause == 2 ** (attempt - 1)
            make_due(waiting)
    assert (waiting.state, waiting.failure_code) == ("failed", "provider_silent")
    assert balance(alice)[:2] == (500, 0)
    assert issuer.orders().get(waiting.public_id) is None


def test_an_order_survives_the_issuers_own_crash(waiting, issuer):
    issuer.control(lose_reply=1)
    grants.drain_grants()
    before = issuer.orders()[waiting.public_id]
    issuer.kill()
    issuer.start()
    make_due(waiting)
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.provider_reference) == ("granted", before["reference"])


def test_a_lease_keeps_others_away_until_it_lapses(waiting):
    from benefits import claim_sql

    lease = timedelta(seconds=30)
    assert claim_sql.lease_claims(limit=5, lease=lease) == {waiting.pk: 1}
    assert claim_sql.lease_claims(limit=5, lease=lease) == {}
    with connection.cursor() as cursor:
        cursor.execute("SET zone.clock_offset = '31 seconds'")
        assert claim_sql.lease_claims(limit=5, lease=lease) == {waiting.pk: 2}
        cursor.execute("RESET zone.clock_offset")


def test_the_issuer_takes_no_unsigned_orders(issuer):
    body = b'{"claim": "clm_x"}'
    for signature in (
        "",
        "v1,AAAA",
        sign(b"wrong", method="POST", path="/issues", at=1, body=body),
    ):
        answer = httpx.post(
            f"{issuer.url}/issues",
            content=body,
            headers={
                "Idempotency-Key": "clm_x", "Zone-Timestamp": "1", "Zone-Signature": signature,
            },
        )  # fmt: skip
        assert answer.status_code == 401
    old = sign(sandbox_secret(), method="POST", path="/issues", at=1, body=body)
    headers = {"Idempotency-Key": "clm_x", "Zone-Timestamp": "1", "Zone-Signature": old}
    assert httpx.post(f"{issuer.url}/issues", content=body, headers=headers).status_code == 401


def test_not_knowing_is_never_a_refusal(waiting, alice):
    grants.settle(waiting, Unknown("timeout"))
    waiting.refresh_from_db()
    assert waiting.state == "reserved"
    assert balance(alice)[:2] == (200, 300)
