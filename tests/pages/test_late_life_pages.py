"""What a member reads when a benefit is given back, undone, taken away, given again or replaced."""

from benefits.models import Claim
from benefits.services.endings import reissue_claim, restore_claim, revoke_claim
from benefits.services.reveal import reveal_claim
from credits.queries import get_balance
from tests.benefits.books import travel
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from zone.core.clock import database_now
from zone.notices.models import Notice

OPERATOR = {"actor": "operator:test"}


def paid_claim(member, *, codes=2):
    give_credits(member, 50)
    return claim(member, make_release(make_benefit(price_credits=50), codes=codes))


def page_of(phone, made):
    return phone.get(f"/me/benefits/{made.public_id}").content.decode()


def test_undone_on_its_page(alices_phone, alice):
    made = paid_claim(alice)
    assert "Undo until" in page_of(alices_phone, made)
    address = f"/me/benefits/{made.public_id}/return"
    page = alices_phone.get(address).content.decode()
    assert "Everything comes back until" in page
    assert 'name="credits_back" value="50"' in page
    done = alices_phone.post(address, {"credits_back": 50}, follow=True)
    assert "It is given back." in done.content.decode()
    assert "Given back" in done.content.decode()
    assert get_balance(alice).available == 50
    again = alices_phone.post(address, {"credits_back": 50})
    assert (again.status_code, get_balance(alice).available) == (409, 50)
    assert "can no longer be" in again.content.decode()


def test_later_at_the_stated_share_and_never_for_less_than_was_promised(alices_phone, alice):
    made = paid_claim(alice)
    travel(minutes=11)
    address = f"/me/benefits/{made.public_id}/return"
    page = alices_phone.get(address).content.decode()
    assert 'name="credits_back" value="40"' in page
    assert "This cannot be undone." in page
    # The page that was open while the ten minutes ran out promised more: nothing happens.
    stale = alices_phone.post(address, {"credits_back": 50})
    assert (stale.status_code, get_balance(alice).available) == (409, 0)
    assert alices_phone.post(address, {"credits_back": "x"}).status_code == 409
    assert alices_phone.post(address, {"credits_back": 40}).status_code == 302
    assert get_balance(alice).available == 40


def test_what_was_seen_offers_no_way_back(alices_phone, alice):
    made = paid_claim(alice)
    reveal_claim(claim=made, now=database_now(), actor="member:test")
    page = page_of(alices_phone, made)
    assert "Undo until" not in page
    address = f"/me/benefits/{made.public_id}/return"
    assert "can no longer be given back" in alices_phone.get(address).content.decode()
    assert alices_phone.post(address, {"credits_back": 50}).status_code == 409
    assert get_balance(alice).available == 0


def test_taken_away_and_given_again(alices_phone, alice):
    made = paid_claim(alice)
    revoke_claim(
        claim=made, reason="issue_error", now=database_now(), gives_credits_back=True, **OPERATOR
    )
    assert "Withdrawn" in page_of(alices_phone, made)
    assert "Show the code" not in page_of(alices_phone, made)
    told = Notice.objects.get(member=alice, kind="claim_revoked")
    assert told.link == f"/me/benefits/{made.public_id}"
    title = made.benefit.texts.get().title
    assert title in alices_phone.get("/inbox").content.decode()
    restore_claim(claim=made, now=database_now(), **OPERATOR)
    assert "Show the code" in page_of(alices_phone, made)
    assert get_balance(alice).available == 0


def test_replaced_the_first_names_the_second(alices_phone, alice):
    first = paid_claim(alice)
    second = reissue_claim(claim=first, now=database_now(), **OPERATOR)
    old = page_of(alices_phone, first)
    assert f"/me/benefits/{second.public_id}" in old
    assert "Show the code" not in old
    new = page_of(alices_phone, second)
    assert "Show the code" in new
    shown = alices_phone.get("/me/benefits").content.decode()
    assert f"/me/benefits/{second.public_id}" in shown
    assert f"/me/benefits/{first.public_id}" not in shown
    travel(minutes=11)
    address = f"/me/benefits/{second.public_id}/return"
    assert 'name="credits_back" value="40"' in alices_phone.get(address).content.decode()
    assert alices_phone.post(address, {"credits_back": 40}).status_code == 302
    assert Claim.objects.get(pk=second.pk).state == "returned"
    assert get_balance(alice).available == 40, "the first one's price, at the stated share"


def test_replaced_after_its_credits_came_back_it_is_worth_nothing_more(alices_phone, alice):
    first = paid_claim(alice)
    revoke_claim(
        claim=first, reason="issue_error", now=database_now(), gives_credits_back=True, **OPERATOR
    )
    second = reissue_claim(claim=first, now=database_now(), **OPERATOR)
    address = f"/me/benefits/{second.public_id}/return"
    assert alices_phone.post(address, {"credits_back": 0}).status_code == 302
    assert get_balance(alice).available == 50
