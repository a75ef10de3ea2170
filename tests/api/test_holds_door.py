"""Units held for a member: once by key, longer by the same key, back when nobody claims."""

from datetime import datetime, timedelta

import pytest

from benefits.errors import SoldOut, StillInStock
from benefits.models import Claim, ReturnedSlot, StockHold, WaitlistEntry
from benefits.queries import count_left
from benefits.services.waitlist import join_waitlist, tend_lines
from tests.api.caller import Caller, assigned_release
from tests.benefits.books import assert_books_hold, travel
from tests.benefits.factories import claim as claim_it
from tests.factories import bind
from zone.core.clock import database_now
from zone.notices.models import Notice


@pytest.fixture(autouse=True)
def _sound_books(db):
    yield
    assert_books_hold()


def body(member, release, **members):
    return {
        "member": member,
        "benefit": release.benefit.public_id,
        "external_id": "cart-1",
        "expires_in": 600,
        **members,
    }


def left(release):
    return count_left([release.pk], now=database_now())[release.pk]


def instant(text):
    return datetime.fromisoformat(text)


def test_held_then_claimed_is_the_held_unit(caller, partner, known_alice, bob):
    release = assigned_release(partner, codes=1)
    answer = caller.post("/stock_holds", body(known_alice, release))
    held = answer.json()
    assert answer.status_code == 201
    assert held == {
        "object": "stock_hold",
        "id": StockHold.objects.get().public_id,
        "livemode": True,
        "external_id": "cart-1",
        "member": known_alice,
        "benefit": release.benefit.public_id,
        "status": "held",
        "expires_at": held["expires_at"],
        "created_at": held["created_at"],
        "resolved_at": None,
    }
    assert left(release) == 0
    slot = ReturnedSlot.objects.get().slot
    order = {"member": known_alice, "benefit": release.benefit.public_id, "external_id": "o-1"}
    granted = caller.post("/claims", order).json()
    assert granted["status"] == "granted"
    assert Claim.objects.get().slot == slot
    shown = caller.get(f"/stock_holds/{held['id']}").json()
    assert (shown["status"], shown["resolved_at"]) == ("claimed", granted["created_at"])
    refused = caller.post(f"/stock_holds/{held['id']}/release").json()
    assert (refused["code"], refused["status"]) == ("invalid_state", "claimed")


def test_the_same_reference_holds_the_same_unit_for_longer(caller, partner, known_alice):
    release = assigned_release(partner, codes=3)
    first = caller.post("/stock_holds", body(known_alice, release)).json()
    travel(minutes=5)
    again = caller.post("/stock_holds", body(known_alice, release))
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    gained = instant(again.json()["expires_at"]) - instant(first["expires_at"])
    assert timedelta(seconds=290) < gained < timedelta(seconds=310)
    assert (left(release), StockHold.objects.count()) == (2, 1)
    shorter = caller.post("/stock_holds", body(known_alice, release, expires_in=30)).json()
    assert shorter["expires_at"] == again.json()["expires_at"], "never shorter than promised"
    other = caller.post("/stock_holds", body(known_alice, release, external_id="cart-2"))
    assert (other.status_code, other.json()["code"]) == (409, "invalid_state")
    assert left(release) == 2


def test_two_hours_is_all(caller, partner, known_alice):
    release = assigned_release(partner, codes=1)
    first = caller.post("/stock_holds", body(known_alice, release, expires_in=3600)).json()
    for minutes in (50, 100):
        travel(minutes=minutes)
        caller = Caller.of(partner)  # A token lives for a quarter of an hour.
        last = caller.post("/stock_holds", body(known_alice, release, expires_in=3600)).json()
    held_for = instant(last["expires_at"]) - instant(first["created_at"])
    assert held_for == timedelta(hours=2)


def test_silence_gives_the_unit_back(caller, partner, known_alice, bob):
    release = assigned_release(partner, codes=1)
    held = caller.post("/stock_holds", body(known_alice, release)).json()
    travel(seconds=601)
    shown = caller.get(f"/stock_holds/{held['id']}").json()
    assert (shown["status"], shown["resolved_at"]) == ("expired", held["expires_at"])
    late = caller.post("/stock_holds", body(known_alice, release))
    assert (late.status_code, late.json()["status"]) == (409, "expired")
    # Before any sweep: a time that is over is over.
    assert left(release) == 1
    assert claim_it(bob, release).state == "granted"
    tend_lines()
    assert left(release) == 0
    assert not Notice.objects.filter(kind="waitlist_offer").exists()


def test_who_let_a_hold_pass_may_hold_again_at_once(caller, partner, known_alice):
    release = assigned_release(partner, codes=1)
    caller.post("/stock_holds", body(known_alice, release))
    travel(seconds=601)
    again = caller.post("/stock_holds", body(known_alice, release, external_id="cart-2"))
    assert (again.status_code, again.json()["status"]) == (201, "held")
    assert WaitlistEntry.objects.filter(state="lapsed").count() == 1
    assert ReturnedSlot.objects.count() == 1


def test_what_nobody_took_is_first_for_whoever_waits(caller, partner, known_alice, bob, carol):
    """Being quick after somebody's hold has ended passes nobody in the line."""
    release = assigned_release(partner, codes=1)
    caller.post("/stock_holds", body(known_alice, release))
    bind(carol)
    join_waitlist(member=carol, release=release, now=database_now())
    travel(seconds=601)
    assert left(release) == 0
    with pytest.raises(SoldOut):
        claim_it(bob, release)
    tend_lines()
    assert claim_it(carol, release).state == "granted"


def test_nobody_queues_beside_a_hold_that_is_over(caller, partner, known_alice, bob):
    release = assigned_release(partner, codes=1)
    caller.post("/stock_holds", body(known_alice, release))
    travel(seconds=601)
    with pytest.raises(StillInStock):
        join_waitlist(member=bob, release=release, now=database_now())


def test_let_go_it_is_offered_to_the_next_in_line(caller, partner, known_alice, bob):
    release = assigned_release(partner, codes=1)
    held = caller.post("/stock_holds", body(known_alice, release)).json()
    join_waitlist(member=bob, release=release, now=database_now())
    for _ in range(2):
        gone = caller.post(f"/stock_holds/{held['id']}/release").json()
        assert gone["status"] == "released"
    assert ReturnedSlot.objects.get().offered_to == bob
    assert claim_it(bob, release).state == "granted"


def test_nothing_is_held_for_who_could_not_claim(caller, partner, known_alice, alice, bob):
    gone = assigned_release(partner, codes=1)
    claim_it(bob, gone)
    for release, code in [
        (gone, "out_of_stock"),
        (assigned_release(partner, codes=1, storefronts=["HKG"]), "not_eligible"),
    ]:
        refused = caller.post("/stock_holds", body(known_alice, release))
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    owned = assigned_release(partner, codes=2)
    claim_it(alice, owned)
    refused = caller.post("/stock_holds", body(known_alice, owned))
    assert refused.json()["code"] == "limit_reached"
    assert StockHold.objects.count() == ReturnedSlot.objects.count() == 0


@pytest.mark.parametrize("seconds", [29, 3601, "600", None])
def test_lengths_outside_the_range_are_refused(caller, partner, known_alice, seconds):
    release = assigned_release(partner, codes=1)
    refused = caller.post("/stock_holds", body(known_alice, release, expires_in=seconds))
    assert (refused.status_code, left(release)) == (422, 1)
