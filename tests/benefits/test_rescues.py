"""Claims that are about to lapse: each way moves time, stock and credits exactly once."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from benefits import errors
from benefits.models import Claim, Rescue, ReturnedSlot
from benefits.services.notices import remind_of_endings
from benefits.services.rescues import find_rescue_offer, pass_on_claim, snooze_claim
from benefits.services.reveal import reveal_claim
from benefits.services.waitlist import join_waitlist, leave_waitlist
from tests.benefits.books import travel
from tests.benefits.factories import (
    claim,
    give_credits,
    load_codes,
    make_benefit,
    make_release,
)
from tests.benefits.test_claim_benefit import balance
from tests.factories import sign_in
from zone.core.clock import database_now
from zone.notices.models import Notice

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = {"actor": "member:test"}


@pytest.fixture
def ending(alice):
    """A claim of alice's, paid with 40, that ends today: 30 days have passed."""
    give_credits(alice, 50)
    made = claim(alice, make_release(make_benefit(price_credits=40), codes=1))
    travel(days=29)
    return made


def test_a_week_more_once_a_month(alice, ending):
    was = ending.valid_until
    snoozed = snooze_claim(claim=ending, now=database_now(), **WHO)
    assert snoozed.valid_until - was == timedelta(days=7)
    ending.refresh_from_db()
    assert (ending.valid_until, ending.state) == (snoozed.valid_until, "granted")
    assert ending.events.get(cause="snooze").facts["until"] == snoozed.valid_until.isoformat()
    travel(days=36)
    month = f"{database_now():%Y-%m}"
    Rescue.objects.update(month=month)
    with pytest.raises(errors.RescueRefused):
        snooze_claim(claim=ending, now=database_now(), **WHO)
    Rescue.objects.update(month="2026-01")
    assert snooze_claim(claim=ending, now=database_now(), **WHO).valid_until > ending.valid_until


def test_never_past_the_code_or_the_benefit(alice):
    benefit = make_benefit(valid_days=10, per_member=3)
    release = make_release(benefit, mode="codes")
    today = database_now().astimezone(ZoneInfo(alice.time_zone)).date()
    ends_on = today + timedelta(days=12)
    load_codes(release, 1, expires_on=ends_on.isoformat())
    made = claim(alice, release)
    travel(days=8)
    until = find_rescue_offer(made, now=database_now()).snooze_until
    assert until == made.valid_until + timedelta(days=2), "two days, not seven: its code ends then"
    type(benefit).objects.update(usable_until=made.valid_until)
    made = Claim.objects.get(pk=made.pk)
    assert find_rescue_offer(made, now=database_now()).snooze_until is None
    with pytest.raises(errors.RescueRefused):
        snooze_claim(claim=made, now=database_now(), **WHO)
    assert Rescue.objects.count() == 0


def test_not_before_it_is_near_its_end_nor_after(alice, ending):
    travel(days=20)
    with pytest.raises(errors.RescueRefused):
        snooze_claim(claim=ending, now=database_now(), **WHO)
    travel(days=40)
    with pytest.raises(errors.RescueRefused):
        snooze_claim(claim=ending, now=database_now(), **WHO)


def test_where_the_benefit_gives_none_there_is_none(alice, ending):
    type(ending.benefit).objects.update(snooze_days=0)
    again = Claim.objects.get(pk=ending.pk)
    assert find_rescue_offer(again, now=database_now()).snooze_until is None


def test_passed_on_it_is_the_next_ones_and_the_thanks_come_once(alice, bob, ending):
    join_waitlist(member=bob, release=ending.release, now=database_now())
    offer = find_rescue_offer(ending, now=database_now())
    assert (offer.thanks, offer.credits_back) == (5, 32)
    pass_on_claim(claim=ending, now=database_now(), **WHO)
    assert balance(alice)[:2] == (10 + 32 + 5, 0)
    assert ReturnedSlot.objects.get().offered_to == bob
    ending.refresh_from_db()
    assert (ending.state, ending.holds_slot) == ("returned", False)
    with pytest.raises(errors.RescueRefused):
        pass_on_claim(claim=ending, now=database_now(), **WHO)
    assert balance(alice)[:2] == (47, 0)
    give_credits(bob, 40)
    assert claim(bob, ending.release).slot == ending.slot


def test_with_nobody_in_line_there_is_nobody_to_thank(alice, bob, ending):
    join_waitlist(member=bob, release=ending.release, now=database_now())
    leave_waitlist(member=bob, release=ending.release, now=database_now())
    with pytest.raises(errors.RescueRefused):
        pass_on_claim(claim=ending, now=database_now(), **WHO)
    assert balance(alice)[:2] == (10, 0)
    ending.refresh_from_db()
    assert ending.state == "granted"


def test_what_was_seen_is_not_passed_on(alice, bob, ending):
    join_waitlist(member=bob, release=ending.release, now=database_now())
    reveal_claim(claim=ending, now=database_now(), **WHO)
    ending.refresh_from_db()
    with pytest.raises(errors.RescueRefused):
        pass_on_claim(claim=ending, now=database_now(), **WHO)
    assert snooze_claim(claim=ending, now=database_now(), **WHO).revealed_at


def test_the_notice_leads_to_the_page_and_comes_again_for_the_new_end(client, alice, ending):
    sign_in(client, alice)
    address = f"/me/benefits/{ending.public_id}/rescue"
    assert (remind_of_endings(now=database_now()), remind_of_endings(now=database_now())) == (1, 0)
    assert Notice.objects.get(kind="claim_expiring").link == address
    page = client.get(address).content.decode()
    assert "Give me more time" in page
    assert "Send to a friend" in page
    assert "32 credits come back to you." in page
    assert "Pass it on" not in page
    assert "Running out" in client.get(f"/me/benefits/{ending.public_id}").content.decode()
    done = client.post(address, {"do": "snooze"})
    assert (done.status_code, done["Location"]) == (302, f"/me/benefits/{ending.public_id}")
    again = client.post(address, {"do": "snooze"})
    assert again.status_code == 409
    assert client.post(address, {"do": "nonsense"}).status_code == 404
    travel(days=35)
    assert remind_of_endings(now=database_now()) == 1
    assert Notice.objects.filter(kind="claim_expiring").count() == 2


def test_the_page_passes_on(client, alice, bob, ending):
    sign_in(client, alice)
    join_waitlist(member=bob, release=ending.release, now=database_now())
    address = f"/me/benefits/{ending.public_id}/rescue"
    assert "32 credits come back, and 5 more say thank you" in client.get(address).content.decode()
    assert client.post(address, {"do": "pass_on"}).status_code == 302
    assert ReturnedSlot.objects.get().offered_to == bob
    far = client.get(address).content.decode()
    assert "nothing to rescue" in far


def test_it_is_nobody_elses(client, bob, ending):
    sign_in(client, bob)
    address = f"/me/benefits/{ending.public_id}/rescue"
    assert client.get(address).status_code == 404
    assert client.post(address, {"do": "snooze"}).status_code == 404
