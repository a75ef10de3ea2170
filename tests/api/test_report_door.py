"""A till says that a code does not work: believed once, replaced once, and nothing for a guesser."""

import pytest

from benefits.models import Claim, CodeReport
from benefits.services.pools import open_code
from benefits.services.reveal import reveal_claim
from tests.api.caller import assigned_release
from tests.benefits.books import assert_books_hold
from zone.core.clock import database_now
from zone.notices.models import Notice
from zone.partners.models import Event


@pytest.fixture(autouse=True)
def _sound_books(db):
    yield
    assert_books_hold()


@pytest.fixture
def shown(caller, partner, known_alice):
    """A claim whose code alice has seen, with one more code on sale."""
    release = assigned_release(partner, codes=2)
    body = {"member": known_alice, "benefit": release.benefit.public_id, "external_id": "order-1"}
    claim = Claim.objects.get(public_id=caller.post("/claims", body).json()["id"])
    reveal_claim(claim=claim, actor="member:alice", now=database_now())
    return claim


def code_of(claim):
    return open_code(claim.release.codes.get(slot=claim.slot)).code


def test_the_member_has_another_code_at_once(caller, shown):
    answer = caller.post("/claims/report_code", {"claim": shown.public_id, "reason": "invalid"})
    said, report = answer.json(), CodeReport.objects.get()
    fresh = Claim.objects.get(replaces=shown)
    assert answer.status_code == 201
    assert said == {
        "object": "code_report",
        "id": report.public_id,
        "livemode": True,
        "claim": shown.public_id,
        "reason": "invalid",
        "status": "replaced",
        "replacement": fresh.public_id,
        "created_at": said["created_at"],
        "decided_at": said["decided_at"],
    }
    shown.refresh_from_db()
    assert (shown.state, fresh.state, fresh.revealed_at) == ("revoked", "granted", None)
    assert Notice.objects.filter(kind="claim_reissued", member=shown.member).count() == 1

    assert caller.get(f"/claims/{fresh.public_id}").json()["status"] == "granted"
    told = Event.objects.filter(object_id=fresh.public_id).values_list("type", flat=True)
    assert list(told) == ["claim.granted"]

    again = caller.post("/claims/report_code", {"claim": shown.public_id, "reason": "other"})
    assert (again.status_code, again.json()) == (200, said)
    assert Claim.objects.count() == 2


def test_by_its_code_as_the_till_read_it(caller, shown):
    answer = caller.post("/claims/report_code", {"code": code_of(shown).lower(), "reason": "used"})
    assert (answer.status_code, answer.json()["claim"]) == (201, shown.public_id)


def test_without_another_code_a_person_looks(caller, partner, known_alice):
    release = assigned_release(partner, codes=1)
    body = {"member": known_alice, "benefit": release.benefit.public_id, "external_id": "order-1"}
    claim = Claim.objects.get(public_id=caller.post("/claims", body).json()["id"])
    reveal_claim(claim=claim, actor="member:alice", now=database_now())
    said = caller.post(
        "/claims/report_code", {"claim": claim.public_id, "reason": "invalid"}
    ).json()
    assert (said["status"], said["replacement"], said["decided_at"]) == ("open", None, None)
    claim.refresh_from_db()
    assert claim.state == "granted"


def test_nobody_learns_a_code_by_reporting(caller, rival, shown):
    code = code_of(shown)
    answers = [
        rival.post("/claims/report_code", {"code": code, "reason": "invalid"}),
        caller.post("/claims/report_code", {"code": "NEVERSEEN1234", "reason": "invalid"}),
    ]
    said = [
        {name: answer.json()[name] for name in ("code", "detail", "status", "title")}
        for answer in answers
    ]
    assert said[0] == said[1]
    assert said[0]["code"] == "code_not_usable"
    foreign = rival.post("/claims/report_code", {"claim": shown.public_id, "reason": "invalid"})
    assert foreign.status_code == 404
    assert not CodeReport.objects.exists()


def test_a_code_nobody_has_seen_is_not_reported(caller, shown):
    Claim.objects.filter(pk=shown.pk).update(revealed_at=None)
    answer = caller.post("/claims/report_code", {"claim": shown.public_id, "reason": "invalid"})
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_state")
    wrong = caller.post("/claims/report_code", {"claim": shown.public_id, "reason": "broken"})
    assert wrong.json()["errors"][0]["pointer"] == "/reason"
    neither = caller.post("/claims/report_code", {"reason": "invalid"})
    assert neither.status_code in {400, 422}
    assert not CodeReport.objects.exists()
