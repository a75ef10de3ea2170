"""Many sends at once, with real threads on a database of their own."""

import time

import pytest
from django.db import connection

from benefits.models import Claim
from tests.api.caller import Caller, assigned_release, make_partner
from tests.factories import bind, make_member
from tests.threads import together
from zone.members.services.partner_members import introduce_member
from zone.partners.models import Event, IdempotencyRecord, PartnerReference
from zone.partners.services import idempotency

SENDS = 100


@pytest.fixture
def stage(cloned_database):
    partner = make_partner("acme")
    member = make_member()
    bind(member)
    known = introduce_member(partner=partner, member=member).public_id
    release = assigned_release(partner, codes=200, per_member=200)
    release.benefit.releases.update(per_member=200)
    body = {"member": known, "benefit": release.benefit.public_id, "external_id": "order-1"}
    return Caller.of(partner), body


def test_a_hundred_sends_of_one_key_have_one_effect(stage):
    caller, body = stage
    answers = together([lambda: caller.post("/claims", body, key="k-1")] * SENDS)
    statuses = sorted(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}, statuses
    assert Claim.objects.count() == IdempotencyRecord.objects.count() == 1
    assert PartnerReference.objects.count() == Event.objects.count() == 1
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in done}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in done) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_progress"
            assert answer.json()["retryable"] is True
            assert answer["Retry-After"] == "1"
    assert caller.post("/claims", body, key="k-1").content == done[0].content


def test_the_harness_sees_the_race_when_the_record_is_not_unique(
    stage, cloned_database, monkeypatch
):
    """The control: without lock and constraints the same sends have many effects."""
    caller, body = stage

    def insert_always(attempt):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO partners_idempotencyrecord (partner_id, livemode, key, fingerprint,"
                " content_type, body, is_sealed, created_at, expires_at) VALUES"
                " (%s, %s, %s, %s, '', '', false, zone_now(), zone_now()) RETURNING id",
                [attempt.partner.pk, attempt.livemode, attempt.key, attempt.fingerprint],
            )
            return cursor.fetchone()[0]

    monkeypatch.setattr(idempotency, "_insert_first", insert_always)
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute(
            "ALTER TABLE partners_idempotencyrecord DROP CONSTRAINT partners_idempotencyrecord_once"
        )
    bodies = [{**body, "external_id": f"order-{number}"} for number in range(8)]
    together([lambda b=b: caller.post("/claims", b, key="k-1") for b in bodies])
    assert Claim.objects.count() > 1


def test_one_reference_under_many_keys_is_one_claim(stage):
    caller, body = stage
    answers = together([lambda: caller.post("/claims", body)] * 20)
    assert sorted({answer.status_code for answer in answers}) in ([200, 201], [200, 201, 409])
    assert Claim.objects.count() == PartnerReference.objects.count() == 1


def test_a_key_held_by_a_stuck_transaction_is_in_progress_within_two_seconds(
    stage, cloned_database
):
    caller, body = stage
    with cloned_database.connect(as_owner=True) as stuck:
        stuck.autocommit = False
        stuck.execute(
            "INSERT INTO partners_idempotencyrecord (partner_id, livemode, key, fingerprint,"
            " content_type, body, is_sealed, created_at, expires_at) VALUES"
            " (%s, true, 'k-1', '', '', '', false, now(), now() + interval '1 day')",
            [caller.partner.pk],
        )
        answers = together([lambda: timed(caller, body)] * 6)
        stuck.rollback()
    for answer, seconds in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
        assert seconds < 4  # Two of waiting; the rest is six threads on a small machine.
    assert sum(seconds < 1.5 for _, seconds in answers) >= 4  # Only one queued on the row.
    assert caller.post("/claims", body, key="k-1").status_code == 201


def timed(caller, body):
    started = time.monotonic()
    answer = caller.post("/claims", body, key="k-1")
    return answer, time.monotonic() - started
