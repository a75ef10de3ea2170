"""Draw tickets over HTTP: an entry at once, told when it is drawn, and nobody's to use."""

from benefits.models import Benefit, Claim, DrawEntry
from benefits.services import draws
from tests.benefits.factories import give_credits
from tests.benefits.test_draw_tickets import close, make_draw, make_tickets
from zone.partners.models import Event


def test_a_partner_gives_a_ticket_and_hears_of_the_draw(caller, partner, known_alice, alice):
    draw = make_draw(stock=1)
    release = make_tickets(draw, price=10, partner_ids=[partner.pk])
    give_credits(alice, 10)
    asked = {
        "member": known_alice, "benefit": release.benefit.public_id, "external_id": "order-1",
    }  # fmt: skip
    answers = [caller.post("/claims", asked) for _ in range(2)]
    assert {answer.status_code for answer in answers} <= {200, 201}
    made = Claim.objects.get(mode="draw")
    data = answers[0].json()
    assert (data["id"], data["status"], data["code_masked"]) == (made.public_id, "granted", None)
    assert (data["benefit_summary"]["kind"], data["price_credits"]) == ("draw_ticket", 10)
    assert data["valid_until"] is None
    assert DrawEntry.objects.get().ticket == made
    listed = caller.get(f"/benefits/{release.benefit.public_id}").json()
    assert (listed["kind"], listed["stock"]) == ("draw_ticket", "few")

    used = caller.post(
        "/claims/redeem",
        {"claim": made.public_id, "external_id": "pos-1", "order": {"reference": "A-1"}},
    )
    assert (used.status_code, used.json()["code"]) == (409, "invalid_state")
    close(draw)
    draws.drain_draws()
    assert caller.get(f"/claims/{made.public_id}").json()["status"] == "redeemed"
    told = Event.objects.order_by("pk").values_list("type", flat=True)
    assert list(told) == ["claim.granted", "claim.redeemed"]


def test_a_partner_is_told_that_entries_are_closed(caller, partner, known_alice):
    draw = make_draw()
    release = make_tickets(draw, partner_ids=[partner.pk], claimable_until=None)
    close(draw)
    answer = caller.post(
        "/claims",
        {"member": known_alice, "benefit": release.benefit.public_id, "external_id": "order-1"},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "ended")
    assert Benefit.objects.filter(kind="draw_ticket").count() == 1
    assert not DrawEntry.objects.exists()
