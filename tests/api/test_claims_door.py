"""POST /claims and its reads: what a partner may cause, see, and never see."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benefits.models import Benefit, Bundle, BundleItem, Claim
from tests.api.caller import Caller, assigned_release
from tests.benefits.factories import give_credits, make_benefit, make_release
from zone.core import clock
from zone.members.models import Binding, Member
from zone.members.services.partner_members import introduce_member
from zone.partners.models import Event, IdempotencyRecord, PartnerReference


def body(member, release, **members):
    return {
        "member": member,
        "benefit": release.benefit.public_id,
        "external_id": "order-1",
        **members,
    }


def nothing_was_written():
    counts = (Claim.objects.count(), PartnerReference.objects.count(), Event.objects.count())
    return counts == (0, 0, 0)


def test_a_code_in_hand_is_granted_at_once(caller, known_alice, release, alice):
    answer = caller.post("/claims", body(known_alice, release, metadata={"cart": "7"}))
    claim = Claim.objects.get()
    data = answer.json()
    assert answer.status_code == 201
    assert data == {
        "object": "claim",
        "id": claim.public_id,
        "livemode": True,
        "external_id": "order-1",
        "member": known_alice,
        "benefit": release.benefit.public_id,
        "benefit_summary": {
            "kind": "coupon",
            "title": release.benefit.texts.get().title,
        },
        "status": "granted",
        "code_masked": data["code_masked"],
        "price_credits": 0,
        "credit_entry": None,
        "valid_from": data["valid_from"],
        "valid_until": data["valid_until"],
        "granted_at": data["granted_at"],
        "redeemed_at": None,
        "revoked_at": None,
        "failure_code": None,
        "metadata": {"cart": "7"},
        "created_at": data["created_at"],
        "updated_at": data["updated_at"],
    }
    assert data["code_masked"].startswith("••••••")
    assert len(data["code_masked"]) == 10
    assert data["created_at"].endswith("Z")
    assert claim.member == alice
    assert claim.partner_id == caller.partner.pk
    assert alice.public_id not in answer.content.decode()


def test_a_grant_costs_a_stated_number_of_queries(caller, known_alice, release):
    """Round trips are what a claim's speed is made of: whoever adds one says so here."""
    sent = body(known_alice, release)
    with CaptureQueriesContext(connection) as caught:
        assert caller.post("/claims", sent).status_code == 201
    asked = [q["sql"] for q in caught if "SAVEPOINT" not in q["sql"]]
    assert len(asked) == 22, "\n".join(sql[:160] for sql in asked)


def test_the_event_is_in_the_same_commit(caller, known_alice, release):
    answer = caller.post("/claims", body(known_alice, release))
    event = Event.objects.get()
    assert (event.type, event.sequence, event.object_id) == (
        "claim.granted",
        1,
        answer.json()["id"],
    )
    assert event.data == answer.json()


def test_a_provider_claim_is_pending_and_holds_its_price(caller, partner, alice):
    known = introduce_member(partner=partner, member=alice).public_id
    give_credits(alice, 500)
    release = assigned_release(partner, stock=3, price=300, kind="apple_music_trial")
    answer = caller.post("/claims", body(known, release))
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert answer.json()["price_credits"] == 300
    assert answer.json()["credit_entry"].startswith("cen_")
    assert answer.json()["code_masked"] is None


def test_the_same_key_and_body_is_replayed_to_the_letter(caller, known_alice, release):
    first = caller.post("/claims", body(known_alice, release), key="k-1")
    again = caller.post("/claims", body(known_alice, release), key="k-1")
    assert again.status_code == first.status_code == 201
    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert again["Request-Id"] != first["Request-Id"]
    assert Claim.objects.count() == 1


def test_member_order_and_spaces_do_not_make_another_request(caller, known_alice, release):
    first = caller.post("/claims", body(known_alice, release), key="k-1")
    ben = release.benefit.public_id
    raw = f'{{"external_id": "order-1",\n "benefit": "{ben}", "member": "{known_alice}"}}'
    again = caller.send("POST", "/claims", raw, "application/json", Idempotency_Key="k-1")
    assert again.content == first.content


def test_the_same_key_with_another_body_is_refused(caller, known_alice, release):
    caller.post("/claims", body(known_alice, release), key="k-1")
    answer = caller.post("/claims", body(known_alice, release, external_id="order-2"), key="k-1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Claim.objects.count() == 1


def test_the_same_reference_under_a_new_key_finds_the_claim(caller, known_alice, release):
    first = caller.post("/claims", body(known_alice, release))
    again = caller.post("/claims", body(known_alice, release))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Claim.objects.count() == 1


def test_the_same_reference_with_other_content_conflicts(caller, known_alice, known_carol, release):
    caller.post("/claims", body(known_alice, release))
    answer = caller.post("/claims", body(known_carol, release))
    assert (answer.status_code, answer.json()["code"]) == (409, "reference_conflict")
    assert Claim.objects.count() == 1


def test_a_no_stays_a_no_for_its_key(caller, known_carol, carol, release):
    refused = caller.post("/claims", body(known_carol, release), key="k-1")
    assert (refused.status_code, refused.json()["code"]) == (409, "binding_required")
    assert refused.json()["retryable"] is False
    assert nothing_was_written()
    Binding.objects.create(
        member=carol,
        storefront=carol.storefront,
        status=Binding.Status.ACTIVE,
        status_occurred_at=clock.now(),
    )
    late = caller.post("/claims", body(known_carol, release), key="k-1")
    assert (late.status_code, late.content) == (409, refused.content)
    assert late["Idempotent-Replayed"] == "true"
    assert caller.post("/claims", body(known_carol, release), key="k-2").status_code == 201


def test_what_is_not_an_outcome_is_not_stored(caller, known_alice, release):
    missing = caller.post("/claims", {"member": known_alice}, key="k-1")
    assert (missing.status_code, missing.json()["code"]) == (422, "validation_failed")
    nobody = body("mbr_" + "0" * 26, release)
    assert caller.post("/claims", nobody, key="k-1").status_code == 404
    assert IdempotencyRecord.objects.count() == 0
    assert caller.post("/claims", body(known_alice, release), key="k-1").status_code == 201


def refuse_paused(release, **_):
    Benefit.objects.update(status=Benefit.Status.PAUSED)


def refuse_ended(release, **_):
    Benefit.objects.update(claimable_until=clock.database_now() - timedelta(seconds=1))


def refuse_not_started(release, **_):
    Benefit.objects.update(claimable_from=clock.database_now() + timedelta(days=1))


def refuse_wallet(release, **_):
    Benefit.objects.update(wallets=["GCASH"])


def refuse_suspended(member, **_):
    Member.objects.filter(pk=member.pk).update(status=Member.Status.SUSPENDED)


def refuse_erased(member, **_):
    Member.objects.filter(pk=member.pk).update(status=Member.Status.ERASED)


def label(value) -> str:
    """A case's name in reports: the same in every process."""
    return getattr(value, "__name__", str(value))


REFUSALS = [
    (refuse_paused, "paused", {}),
    (refuse_ended, "ended", {}),
    (refuse_not_started, "not_started", {}),
    (refuse_wallet, "not_eligible", {"reason": "wallet"}),
    (refuse_suspended, "member_suspended", {}),
    (refuse_erased, "member_erased", {}),
]


@pytest.mark.parametrize(("cause", "code", "members"), REFUSALS, ids=label)
def test_business_refusals(caller, known_alice, alice, release, cause, code, members):
    cause(release=release, member=alice)
    answer = caller.post("/claims", body(known_alice, release))
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert members.items() <= answer.json().items()
    assert nothing_was_written()


def test_limit_stock_and_credits_are_refused_by_name(caller, partner, known_alice, release):
    assert caller.post("/claims", body(known_alice, release)).status_code == 201
    second = caller.post("/claims", body(known_alice, release, external_id="order-2")).json()
    assert (second["code"], second["limit"]) == ("limit_reached", "1_per_member")
    empty = make_release(make_benefit(partner_ids=[partner.pk]), stock=0)
    gone = caller.post("/claims", body(known_alice, empty, external_id="order-3")).json()
    assert gone["code"] == "out_of_stock"
    dear = assigned_release(partner, codes=1, price=300)
    poor = caller.post("/claims", body(known_alice, dear, external_id="order-4")).json()
    assert (poor["code"], poor["available"]) == ("insufficient_credits", 0)
    unpaid = body(known_alice, dear, external_id="order-5", pay_with_credits=False)
    free = caller.post("/claims", unpaid).json()
    assert (free["code"], free["reason"]) == ("not_eligible", "payment_required")
    assert Claim.objects.count() == 1


def test_the_eleventh_grant_of_a_member_in_a_minute_waits(caller, partner, known_alice):
    release = assigned_release(partner, codes=12)
    release.benefit.releases.update(per_member=12)
    for number in range(10):
        answer = caller.post("/claims", body(known_alice, release, external_id=f"o-{number}"))
        assert answer.status_code == 201, answer.json()
    answer = caller.post("/claims", body(known_alice, release, external_id="o-10"), key="k-10")
    assert (answer.status_code, answer.json()["violated_policies"]) == (429, ["member"])
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert Claim.objects.count() == 10
    assert not IdempotencyRecord.objects.filter(key="k-10").exists()


def test_reads_show_own_claims_newest_first(
    caller, rival, known_alice, known_carol, release, alice
):
    claim = caller.post("/claims", body(known_alice, release)).json()
    assert caller.get(f"/claims/{claim['id']}").json() == claim
    listed = caller.get("/claims").json()
    assert listed == {"object": "list", "data": [claim], "has_more": False, "next_cursor": None}
    for query, count in [
        ({"member": known_alice}, 1),
        ({"member": known_carol}, 0),
        ({"status": "granted"}, 1),
        ({"status": "pending"}, 0),
        ({"external_id": "order-1"}, 1),
        ({"benefit": release.benefit.public_id}, 1),
        ({"created_after": claim["created_at"]}, 1),
        ({"created_before": "2020-01-01T00:00:00Z"}, 0),
    ]:
        assert len(caller.get("/claims", query).json()["data"]) == count, query
    assert rival.get("/claims").json()["data"] == []


def test_expiry_is_read_from_its_instant(caller, known_alice, release):
    claim = caller.post("/claims", body(known_alice, release)).json()
    Claim.objects.update(valid_until=clock.database_now() - timedelta(milliseconds=1))
    assert caller.get(f"/claims/{claim['id']}").json()["status"] == "expired"
    assert len(caller.get("/claims", {"status": "expired"}).json()["data"]) == 1
    assert caller.get("/claims", {"status": "granted"}).json()["data"] == []


def test_somebody_elses_object_never_existed(caller, rival, partner, alice, known_alice, release):
    """404 of one wording and one length for foreign, other-mode and made-up ids."""
    claim = caller.post("/claims", body(known_alice, release)).json()["id"]
    tester = Caller.of(partner, livemode=False)
    answers = []
    for who, path in [
        (rival, f"/claims/{claim}"),
        (tester, f"/claims/{claim}"),
        (caller, f"/claims/{claim[:-1] + ('0' if claim[-1] != '0' else '1')}"),
        (rival, f"/members/{known_alice}"),
        (tester, f"/members/{known_alice}"),
        (caller, f"/members/{alice.public_id}"),
        (rival, f"/benefits/{release.benefit.public_id}"),
        (tester, f"/benefits/{release.benefit.public_id}"),
        (caller, "/benefits/ben_00000000000000000000000000"),
    ]:
        answer = who.get(path)
        assert answer.status_code == 404
        problem = answer.json()
        problem.pop("request_id")
        answers.append((problem, len(answer.content)))
    assert all(answer == answers[0] for answer in answers)
    foreign = rival.post("/claims", body(known_alice, release))
    assert (foreign.status_code, len(foreign.content)) == (404, answers[0][1])


def test_two_partners_know_a_member_by_different_ids(caller, rival, alice, known_alice):
    theirs = introduce_member(partner=rival.partner, member=alice).public_id
    assert theirs != known_alice
    assert caller.get(f"/members/{known_alice}").json()["external_id"] == "u-1"
    assert rival.get(f"/members/{theirs}").json()["external_id"] is None


def test_a_refusal_says_when_it_opens_and_what_was_chosen_instead(caller, partner, known_alice):
    coming = assigned_release(partner, codes=1)
    opens_at = clock.now() + timedelta(days=2)
    coming.opens_at = opens_at
    coming.save(update_fields=["opens_at"])
    early = caller.post("/claims", body(known_alice, coming)).json()
    assert early["code"] == "not_started"
    assert early["opens_at"].endswith("Z")
    assert datetime.fromisoformat(early["opens_at"]) == opens_at.replace(
        microsecond=opens_at.microsecond // 1000 * 1000
    )
    one, other = assigned_release(partner, codes=1), assigned_release(partner, codes=1)
    bundle = Bundle.objects.create(slug="choice", kind="pick", words={})
    for release in (one, other):
        BundleItem.objects.create(bundle=bundle, benefit=release.benefit)
    assert caller.post("/claims", body(known_alice, one, external_id="a")).status_code == 201
    refused = caller.post("/claims", body(known_alice, other, external_id="b"))
    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["retryable"]) == (
        409, "already_chosen", False,
    )  # fmt: skip
    assert problem["chosen"] == one.benefit.public_id
    asked = caller.post(f"/benefits/{other.benefit.public_id}/eligibility", {"member": known_alice})
    assert (asked.json()["eligible"], asked.json()["code"]) == (False, "already_chosen")
    assert Claim.objects.count() == 1
