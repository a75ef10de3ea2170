"""Using a claim over HTTP: once, for an order, and without telling a guesser anything."""

import pytest

from benefits.models import Claim, Redemption
from benefits.services.pools import open_code
from benefits.services.redemptions import roll_back_redemption
from tests.api.caller import Caller, assigned_release
from zone.core.clock import database_now
from zone.partners.models import Event

ORDER = {
    "reference": "A-19-0042",
    "amount": {"currency": "CNY", "value": 12900},
    "storefront": "CHN",
}


@pytest.fixture
def granted(caller, known_alice, release):
    body = {
        "member": known_alice,
        "benefit": release.benefit.public_id,
        "external_id": "order-1",
    }
    return caller.post("/claims", body).json()


def code_of(granted):
    claim = Claim.objects.get(public_id=granted["id"])
    return open_code(claim.release.codes.get(slot=claim.slot)).code


def use(**members):
    return {"external_id": "pos-19-0042", "order": ORDER, **members}


def test_a_use_names_its_order_and_counts_once(caller, granted):
    asked = caller.post("/claims/validate", {"claim": granted["id"], "order": ORDER})
    assert asked.json() == {
        "usable": True,
        "claim": granted["id"],
        "discount": {"currency": "CNY", "value": 600},
        "valid_until": granted["valid_until"],
    }
    assert Redemption.objects.count() == 0
    answer = caller.post("/claims/redeem", use(claim=granted["id"]))
    data = answer.json()
    assert answer.status_code == 201
    assert data == {
        "object": "redemption",
        "id": data["id"],
        "livemode": True,
        "external_id": "pos-19-0042",
        "claim": granted["id"],
        "status": "redeemed",
        "order": ORDER,
        "discount": {"currency": "CNY", "value": 600},
        "discount_rolled_back": {"currency": "CNY", "value": 0},
        "redeemed_at": data["redeemed_at"],
        "rolled_back_at": None,
        "rollback_reason": None,
    }
    again = caller.post("/claims/redeem", use(claim=granted["id"]))
    assert (again.status_code, again.json()) == (200, data)
    second = caller.post("/claims/redeem", use(claim=granted["id"], external_id="pos-2"))
    assert (second.status_code, second.json()["code"]) == (409, "already_redeemed")
    assert second.json()["redeemed_at"]
    assert [event.type for event in Event.objects.order_by("pk")] == [
        "claim.granted",
        "claim.redeemed",
    ]
    assert Event.objects.last().previous == {"status": "granted"}


def test_a_code_as_people_type_it_is_understood(caller, granted):
    code = code_of(granted)
    typed = " ".join(code[at : at + 4] for at in range(0, len(code), 4)).lower()
    answer = caller.post("/claims/redeem", use(code=typed))
    assert (answer.status_code, answer.json()["claim"]) == (201, granted["id"])


def test_every_unusable_code_has_one_answer(caller, rival, granted):
    code = code_of(granted)
    caller.post("/claims/redeem", use(claim=granted["id"]))
    answers = [
        rival.post("/claims/redeem", use(code=code)),
        rival.post("/claims/validate", {"code": code}),
        caller.post("/claims/validate", {"code": "NEVERSEEN1234"}),
    ]
    said = [
        {name: answer.json()[name] for name in ("code", "detail", "status", "title")}
        for answer in answers
    ]
    assert said[0] == said[1] == said[2]
    assert said[0]["code"] == "code_not_usable"
    assert code not in answers[0].content.decode()


def test_guessing_runs_dry_and_does_not_stop_other_work(partner, caller, granted):
    guesser = Caller.of(partner)
    for number in range(31):
        body = use(code=f"GUESS{number:08d}", external_id=f"g-{number}")
        answer = guesser.post("/claims/redeem", body)
        assert answer.json()["code"] == "code_not_usable"
    refused = guesser.post("/claims/redeem", use(code=code_of(granted)))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert guesser.get("/claims").status_code == 200
    assert caller.post("/claims/redeem", use(code=code_of(granted))).status_code == 201


def test_a_use_is_taken_back_once(caller, granted):
    used = caller.post("/claims/redeem", use(claim=granted["id"])).json()
    path = f"/redemptions/{used['id']}/rollback"
    first, again = (caller.post(path, {"reason": "order canceled"}) for _ in range(2))
    assert first.json() == again.json()
    assert first.json()["status"] == "rolled_back"
    assert caller.get(f"/claims/{granted['id']}").json()["status"] == "granted"
    assert Event.objects.last().type == "claim.rolled_back"
    roll_back_redemption(
        redemption=Redemption.objects.get(), now=database_now(), actor="operator:x"
    )
    assert Event.objects.filter(type="claim.rolled_back").count() == 1


def test_a_value_is_used_in_parts_by_keys_of_their_own(caller, partner, known_alice):
    """30.00 in three uses, the third for what is left; a part comes back and is used again."""
    detail = {"currency": "CNY", "amount_off": 3000, "is_divisible": True}
    release = assigned_release(partner, codes=1, detail=detail)
    asked = {"member": known_alice, "benefit": release.benefit.public_id, "external_id": "o"}
    claim = caller.post("/claims", asked).json()["id"]

    def spend(reference, value):
        order = {"reference": reference, "amount": {"currency": "CNY", "value": value}}
        return caller.post(
            "/claims/redeem", {"claim": claim, "external_id": reference, "order": order}
        )

    uses = [spend("p-1", 1000), spend("p-2", 1500), spend("p-3", 9900)]
    assert [(use.status_code, use.json()["discount"]["value"]) for use in uses] == [
        (201, 1000), (201, 1500), (201, 500),
    ]  # fmt: skip
    over = spend("p-4", 100)
    assert (over.status_code, over.json()["code"]) == (409, "already_redeemed")
    path = f"/redemptions/{uses[1].json()['id']}/rollback"
    back = [caller.post(path, {"reason": "returned", "amount": 500}, key="rb-1") for _ in range(2)]
    assert back[0].json() == back[1].json()
    assert back[0].json()["discount_rolled_back"]["value"] == 500
    assert caller.get(f"/claims/{claim}").json()["status"] == "granted"
    last = spend("p-5", 9900)
    assert (last.status_code, last.json()["discount"]["value"]) == (201, 500)
    assert caller.get(f"/claims/{claim}").json()["status"] == "redeemed"


def test_a_claim_is_taken_away_by_who_granted_it(caller, granted):
    path = f"/claims/{granted['id']}/revoke"
    answer = caller.post(path, {"reason": "fraud", "note": "seen twice"})
    assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
    again = caller.post(path, {"reason": "fraud"})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"external_id": "x", "order": ORDER}, "/claim"),
        ({"external_id": "x", "order": {"reference": "A"}, "claim": "clm_no"}, "/claim"),
        ({"external_id": "x", "code": "ABCDEFGH"}, "/order"),
    ],
)
def test_what_is_not_a_use_is_named(caller, granted, body, pointer):
    answer = caller.post("/claims/redeem", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert Redemption.objects.count() == 0
