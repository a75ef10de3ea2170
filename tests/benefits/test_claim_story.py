"""A claim's events told again, one by one, give the claim as it stands after each step."""

import pytest

from benefits.models import Claim
from benefits.services import endings, gift_opening, gifts
from benefits.services.endings import restore_claim, revoke_claim
from benefits.services.redemptions import redeem_claim, roll_back_redemption
from benefits.services.rescues import snooze_claim
from benefits.services.returns import return_claim
from benefits.services.reveal import reveal_claim
from tests.benefits.books import travel
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.benefits.gifting import accept, open_, send
from tests.factories import make_operator, sign_in_operator
from zone.core.clock import database_now

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = {"actor": "operator:x"}
SENT, BACK = "gift_send", ("gift_recall", "gift_return", "gift_decline", "gift_stop", "gift_accept")


def told_again(made):
    """State, whether the code was seen, whether it is under way: from the events alone."""
    state, is_seen, is_under_way = "", False, False
    for event in made.events.order_by("id"):
        assert event.from_state == state, event.cause
        assert event.actor
        state = event.to_state
        is_seen |= event.cause == "reveal"
        is_under_way = event.cause == SENT or (is_under_way and event.cause not in BACK)
    return state, is_seen, is_under_way


def as_it_stands(made):
    now = Claim.objects.get(pk=made.pk)
    return now.state, now.revealed_at is not None, now.frozen_at is not None


def live(made, *steps):
    """Take each step; the causes in their order."""
    for step in steps:
        step()
        made.refresh_from_db()
        assert told_again(made) == as_it_stands(made), made.state
    return list(made.events.order_by("id").values_list("cause", flat=True))


def test_used_taken_back_lost_found_and_over(client, alice):
    give_credits(alice, 10)
    made = claim(alice, make_release(make_benefit(price_credits=10), codes=1))
    used = []
    causes = live(
        made,
        lambda: reveal_claim(claim=made, now=database_now(), **WHO),
        lambda: used.append(redeem_claim(claim=made, now=database_now(), **WHO)),
        lambda: roll_back_redemption(redemption=used[0], now=database_now(), **WHO),
        lambda: revoke_claim(claim=made, reason="fraud", now=database_now(), **WHO),
        lambda: restore_claim(claim=made, now=database_now(), **WHO),
        lambda: travel(days=29),
        lambda: snooze_claim(claim=made, now=database_now(), **WHO),
        lambda: travel(days=60),
        endings.expire_claims,
    )
    told = ["claim", "reveal", "redeem", "roll_back", "revoke", "restore", "snooze", "expire"]
    assert causes == told
    sign_in_operator(client, make_operator("auditor"))
    page = client.get(f"/console/benefits/claim/{made.pk}/change/").content.decode()
    rows = page[page.index('id="events-group"') :]
    places = [rows.index(f">{cause}<") for cause in told]
    assert places == sorted(places), "each change, in its order"


def test_sent_called_back_sent_again_and_received(alice, bob, given):
    sent = []
    causes = live(
        given,
        lambda: sent.append(send(given)),
        lambda: gifts.recall_gift(gift=sent[0], now=database_now()),
        lambda: sent.append(send(Claim.objects.get(pk=given.pk))),
        lambda: open_(sent[1], bob),
        lambda: gift_opening.decline_gift(gift=sent[1], member=bob, now=database_now()),
        lambda: sent.append(send(Claim.objects.get(pk=given.pk))),
        lambda: accept(open_(sent[2], bob), bob),
    )
    assert [cause for cause in causes if cause in (SENT, *BACK)] == [
        SENT, "gift_recall", SENT, "gift_decline", SENT, "gift_accept",
    ]  # fmt: skip
    received = bob.claims.get()
    assert told_again(received) == as_it_stands(received) == ("granted", False, False)


def test_given_back(alice):
    made = claim(alice, make_release(make_benefit(), codes=1))
    assert live(made, lambda: return_claim(claim=made, now=database_now(), **WHO)) == [
        "claim", "undo",
    ]  # fmt: skip
