"""The dry run says what the claim would say, and changes nothing."""

import pytest

from benefits.models import Benefit, Claim
from tests.api.caller import assigned_release
from tests.api.test_claims_door import REFUSALS, body, label
from tests.benefits.factories import give_credits, make_benefit, make_release


def ask(caller, member, release):
    path = f"/benefits/{release.benefit.public_id}/eligibility"
    answer = caller.post(path, {"member": member})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_yes(caller, known_alice, release):
    assert ask(caller, known_alice, release) == {
        "object": "eligibility",
        "benefit": release.benefit.public_id,
        "member": known_alice,
        "eligible": True,
        "code": None,
        "reason": None,
        "limit": None,
        "detail": None,
        "again_at": None,
    }


@pytest.mark.parametrize(("cause", "code", "members"), REFUSALS, ids=label)
def test_it_foretells_the_refusal(caller, known_alice, alice, release, cause, code, members):
    cause(release=release, member=alice)
    told = ask(caller, known_alice, release)
    refused = caller.post("/claims", body(known_alice, release)).json()
    assert (told["eligible"], told["code"], told["detail"]) == (False, code, refused["detail"])
    assert members.items() <= told.items()


def test_it_foretells_limit_stock_credits_and_binding(
    caller, partner, alice, known_alice, known_carol, release
):
    caller.post("/claims", body(known_alice, release))
    told = ask(caller, known_alice, release)
    assert (told["code"], told["limit"]) == ("limit_reached", "1_per_member")
    assert ask(caller, known_carol, release)["code"] == "binding_required"
    empty = make_release(make_benefit(partner_ids=[partner.pk]), stock=0)
    assert ask(caller, known_alice, empty)["code"] == "out_of_stock"
    dear = assigned_release(partner, codes=1, price=300)
    assert ask(caller, known_alice, dear)["code"] == "insufficient_credits"
    give_credits(alice, 300)
    assert ask(caller, known_alice, dear)["eligible"] is True


def test_dry_runs_change_nothing(caller, known_alice, release):
    before = (Claim.objects.count(), Benefit.objects.get(pk=release.benefit_id).updated_at)
    for _ in range(20):
        ask(caller, known_alice, release)
    assert (Claim.objects.count(), Benefit.objects.get(pk=release.benefit_id).updated_at) == before
