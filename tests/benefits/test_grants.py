"""Granting through a provider that behaves like real ones: slow, silent, forgetful."""

import logging
from datetime import timedelta

import httpx
import pytest
from django.db import connection

from benefits import claim_sql, queries
from benefits.errors import ClaimNotUsable
from benefits.models import Alarm, Claim, Code
from benefits.providers.base import Issued, Unknown
from benefits.providers.http import HttpIssuer, seal_secret, sign
from benefits.providers.sandbox_issuer import sandbox_secret
from benefits.services import grants, silence
from benefits.services.pools import open_code
from benefits.services.reveal import reveal_claim
from tests.benefits.factories import (
    claim,
    give_credits,
    make_benefit,
    make_provider,
    make_release,
    soon,
)
from tests.benefits.test_claim_benefit import balance
from tests.factories import bind, make_member
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
    assert Alarm.objects.get().subject == waiting.public_id
    assert Alarm.objects.get().kind == "provider_code"
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
    assert Alarm.objects.get().subject == waiting.public_id
    waiting.refresh_from_db()
    assert (waiting.state, Code.objects.count()) == ("reserved", 1)


def be_silent(waiting, issuer):
    """Every try of a claim without an answer."""
    issuer.control(down=1, mute=1)
    for attempt in range(1, 5):
        grants.drain_grants()
        waiting.refresh_from_db()
        assert waiting.attempts == attempt
        if attempt < 4:
            pause = (waiting.next_attempt_at - waiting.updated_at).total_seconds()
            assert pause == 2 ** (attempt - 1)
            make_due(waiting)


def test_silence_keeps_the_credits_held_and_calls_an_operator(waiting, alice, issuer):
    be_silent(waiting, issuer)
    assert (waiting.state, waiting.provider_status) == ("reserved", "silent")
    assert balance(alice)[:2] == (200, 300)
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.subject, alarm.count) == ("provider_silent", waiting.public_id, 1)
    assert grants.drain_grants() == 0, "it is asked about again in an hour, not at once"


def test_a_silent_order_that_was_placed_after_all_is_granted(waiting, alice, issuer):
    issuer.control(lose_reply=1, mute=1)
    for _ in range(4):
        make_due(waiting)
        grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.provider_status, balance(alice)[:2]) == ("silent", (200, 300))
    issuer.control()
    silence.ask_again(claim=waiting, actor="operator:x", now=database_now())
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, balance(alice)[:2]) == ("granted", (200, 0))
    assert waiting.provider_reference == issuer.orders()[waiting.public_id]["reference"]


def test_what_the_provider_never_saw_gives_the_credits_back_and_is_not_ordered_late(
    waiting, alice, issuer
):
    be_silent(waiting, issuer)
    issuer.control()
    make_due(waiting)
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.failure_code) == ("failed", "never_issued")
    assert balance(alice)[:2] == (500, 0)
    assert issuer.orders().get(waiting.public_id) is None


def test_an_operator_gives_up_only_what_stayed_silent(waiting, alice, issuer):
    with pytest.raises(ClaimNotUsable):
        silence.give_up(claim=waiting, actor="operator:x")
    assert balance(alice)[:2] == (200, 300)
    be_silent(waiting, issuer)
    silence.give_up(claim=waiting, actor="operator:x")
    waiting.refresh_from_db()
    assert (waiting.state, balance(alice)[:2]) == ("failed", (500, 0))
    assert waiting.events.get(cause="fail").actor == "operator:x"


def test_a_dead_provider_keeps_nobody_else_waiting(bob, release, issuer):
    """More older claims of a provider that hangs than it gets; one of a provider that answers."""
    number = grants.PROVIDER_CALLS_MAX + 8
    hanging = make_provider(url="http://127.0.0.1:9", secret_sealed=seal_secret("x" * 32))
    crowded = make_release(make_benefit(), stock=number, provider=hanging)
    for _ in range(number):
        member = make_member()
        bind(member)
        claim(member, crowded)
    give_credits(bob, 500)
    made = claim(bob, release)
    leased = claim_sql.lease_claims(
        limit=grants.PARALLEL_CALLS,
        lease=timedelta(seconds=9),
        share=grants.PROVIDER_CALLS_MAX,
        rooms={},
    )
    assert made.pk in leased
    assert len(leased) == grants.PROVIDER_CALLS_MAX + 1
    distrusted = claim_sql.lease_claims(
        limit=32, lease=timedelta(seconds=9), share=24, rooms={hanging.pk: 1}
    )
    assert len(distrusted) == 1


def test_a_kept_connection_serves_one_claim_after_the_other(release, issuer, monkeypatch):
    """Fewer connections than claims: each is asked once, and nobody is asked about."""
    monkeypatch.setattr(grants, "PARALLEL_CALLS", 2)
    members = [make_member() for _ in range(8)]
    for member in members:
        bind(member)
        give_credits(member, 300)
        claim(member, release)
    assert grants.drain_grants() == 8
    made = Claim.objects.filter(release=release).values_list("state", "attempts")
    assert list(made) == [("granted", 1)] * 8


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
    fair = {"limit": 5, "lease": timedelta(seconds=30), "share": 5, "rooms": {}}
    assert claim_sql.lease_claims(**fair) == {waiting.pk: 1}
    assert claim_sql.lease_claims(**fair) == {}
    with connection.cursor() as cursor:
        cursor.execute("SET zone.clock_offset = '31 seconds'")
        assert claim_sql.lease_claims(**fair) == {waiting.pk: 2}
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


def test_a_claim_that_cannot_be_written_keeps_nobody_else_waiting(
    waiting, alice, bob, release, issuer, monkeypatch
):
    give_credits(bob, 300)
    other = claim(bob, release)
    keep_codes = grants.keep_codes

    def keep_others(answers, *, now):
        assert all(one.pk != waiting.pk for one, _ in answers)
        keep_codes(answers, now=now)

    monkeypatch.setattr(grants, "keep_codes", keep_others)
    for _ in range(5):
        grants.drain_grants()
        Claim.objects.filter(state="reserved", lease_until__lt=soon(minutes=5)).update(
            lease_until=database_now()
        )
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (other.state, waiting.state, waiting.provider_status) == (
        "granted", "reserved", "silent",
    )  # fmt: skip
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.subject) == ("worker_lost", waiting.public_id)
    assert balance(alice)[:2] == (200, 300)
    assert grants.drain_grants() == 0, "it is fenced in"
    monkeypatch.undo()
    silence.ask_again(claim=waiting, actor="operator:x", now=database_now())
    grants.drain_grants()
    waiting.refresh_from_db()
    assert waiting.state == "granted"


def test_a_call_that_fails_in_our_own_code_is_not_knowing(waiting, alice, monkeypatch):
    monkeypatch.setattr(HttpIssuer, "issue", lambda *_: {}["no such name"])
    assert grants.drain_grants() == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.provider_status, balance(alice)[:2]) == (
        "reserved", "unknown", (200, 300),
    )  # fmt: skip


def test_not_knowing_is_never_a_refusal(waiting, alice):
    grants.settle(waiting, Unknown("timeout"))
    waiting.refresh_from_db()
    assert waiting.state == "reserved"
    assert balance(alice)[:2] == (200, 300)
