"""Balances and entries: what a partner reads equals what the ledger holds."""

import pytest

from tests.api.caller import Caller, assigned_release
from tests.benefits.factories import give_credits
from zone.members.services.partner_members import introduce_member


@pytest.fixture
def paid_claim(caller, partner, alice, known_alice):
    """500 earned, 300 of them spent on a claim of this partner."""
    give_credits(alice, 500)
    release = assigned_release(partner, codes=1, price=300)
    body = {
        "member": known_alice,
        "benefit": release.benefit.public_id,
        "external_id": "order-8841",
    }
    return caller.post("/claims", body).json()


def test_the_balance(caller, known_alice, paid_claim):
    balance = caller.get(f"/members/{known_alice}/credits").json()
    assert balance.pop("as_of").endswith("Z")
    (bucket,) = balance.pop("expiring")
    assert bucket["amount"] == 200
    assert balance == {
        "object": "credit_balance",
        "member": known_alice,
        "available": 200,
        "held": 0,
        "debt": 0,
    }


def test_a_member_without_an_account_has_nothing(caller, known_carol):
    balance = caller.get(f"/members/{known_carol}/credits").json()
    assert (balance["available"], balance["held"], balance["expiring"]) == (0, 0, [])


def test_the_statement(caller, known_alice, paid_claim):
    spend, earn = caller.get("/credit_entries", {"member": known_alice}).json()["data"]
    assert spend == {
        "object": "credit_entry",
        "id": paid_claim["credit_entry"],
        "livemode": True,
        "member": known_alice,
        "kind": "spend",
        "amount": -300,
        "available_after": 200,
        "external_id": "order-8841",
        "related": {"object": "claim", "id": paid_claim["id"]},
        "reverses": None,
        "reason": "benefit",
        "expires_on": None,
        "posted_at": spend["posted_at"],
    }
    assert (earn["kind"], earn["amount"], earn["available_after"]) == ("earn", 500, 500)
    assert (earn["external_id"], earn["related"]) == (None, None)
    assert earn["expires_on"] is not None
    assert caller.get(f"/credit_entries/{spend['id']}").json() == spend


def test_another_partner_of_the_member_sees_no_reference_of_ours(
    rival, alice, known_alice, paid_claim
):
    theirs = introduce_member(partner=rival.partner, member=alice).public_id
    spend = rival.get("/credit_entries", {"member": theirs}).json()["data"][0]
    assert (spend["external_id"], spend["related"], spend["amount"]) == (None, None, -300)


def test_filters_and_pages(caller, alice, known_alice, paid_claim):
    for amount in (1, 2, 3):
        give_credits(alice, amount)

    def amounts(**query):
        page = caller.get("/credit_entries", {"member": known_alice, **query}).json()
        return [row["amount"] for row in page["data"]], page["next_cursor"]

    assert amounts()[0] == [3, 2, 1, -300, 500]
    assert amounts(kind="spend")[0] == [-300]
    assert amounts(posted_before="2020-01-01T00:00:00Z")[0] == []
    assert amounts(posted_after="2020-01-01T00:00:00Z")[0] == [3, 2, 1, -300, 500]
    first, cursor = amounts(limit=2)
    second, cursor = amounts(limit=2, cursor=cursor)
    third, cursor = amounts(limit=2, cursor=cursor)
    assert (first, second, third, cursor) == ([3, 2], [1, -300], [500], None)


@pytest.mark.parametrize(
    "entry", ["cen_", "cen_" + "0" * 26, "cen_" + "Z" * 26, "x" * 30, "cen_" + "é" * 26, "%00"]
)
def test_entries_that_do_not_exist(caller, entry):
    assert caller.get(f"/credit_entries/{entry}").status_code == 404


def test_an_entry_of_a_member_the_partner_does_not_know(rival, caller, known_alice, paid_claim):
    assert rival.get(f"/credit_entries/{paid_claim['credit_entry']}").status_code == 404
    tester = Caller.of(caller.partner, livemode=False)
    assert tester.get(f"/credit_entries/{paid_claim['credit_entry']}").status_code == 404


def test_the_member_is_required(caller):
    answer = caller.get("/credit_entries")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert answer.json()["errors"][0]["parameter"] == "member"
