"""What may be given to whom, how often, and when: each refusal leaves the gift as it was."""

import pytest

from benefits import errors, gift_errors, queries
from benefits.gift_queries import list_giftable
from benefits.models import Benefit, Gift
from benefits.services import gift_opening, gifts
from benefits.services.reveal import reveal_claim
from tests.benefits.books import travel
from tests.benefits.factories import (
    claim,
    load_codes,
    make_benefit,
    make_release,
    soon,
)
from tests.benefits.gifting import accept, as_is, open_, send
from tests.factories import bind, make_member
from zone.core.clock import database_now

pytestmark = pytest.mark.usefixtures("sound_books")


def test_not_to_oneself_under_any_wallet(alice, given):
    gift = send(given)
    with pytest.raises(gift_errors.OwnGift):
        open_(gift, alice)
    twin = make_member(wallet="ALIPAY_HK")
    for member in (alice, twin):
        member.person_token = b"p" * 32
        member.save(update_fields=["person_token"])
    with pytest.raises(gift_errors.OwnGift):
        open_(gift, twin)


def test_it_never_comes_back_to_a_giver_as_a_gift(alice, bob, given):
    mine = accept(open_(send(given), bob), bob)
    on = send(mine)
    with pytest.raises(gift_errors.GiftRing):
        open_(on, alice)
    on.refresh_from_db()
    assert (on.state, on.receiver_id) == ("delivered", None)


def test_a_hong_kong_code_never_reaches_manila(bob):
    giver = make_member(wallet="ALIPAY_HK")
    bind(giver)
    benefit = make_benefit(storefronts=["HKG"])
    gift = send(claim(giver, make_release(benefit, codes=1)))
    manila = make_member(wallet="GCASH")
    bind(manila)
    with pytest.raises(errors.WrongStorefront):
        open_(gift, manila)
    gift.refresh_from_db()
    assert (gift.state, gift.receiver_id) == ("delivered", None)
    friend = make_member(wallet="ALIPAY_HK")
    with pytest.raises(errors.BindingRequired):
        open_(gift, friend)
    bind(friend)
    assert open_(gift, friend).state == "opened"


def test_a_gift_takes_nothing_from_limits_but_giving_does(alice, bob, given):
    release = given.release
    mine = claim(bob, release)
    received = accept(open_(send(given), bob), bob)
    assert {mine.nth, received.nth} == {1}
    load_codes(release, 2)
    with pytest.raises(errors.LimitReached):
        claim(alice, release)  # What she gave away was her one.
    with pytest.raises(errors.LimitReached):
        claim(bob, release)


def test_one_who_was_given_may_still_claim(bob, given):
    accept(open_(send(given), bob), bob)
    card = queries.get_card(slug=given.benefit.slug, member=bob, available=0, now=database_now())
    assert card.state == "claimable"
    assert claim(bob, given.release).nth == 1


def test_a_benefit_may_count_gifts(bob, given):
    Benefit.objects.filter(pk=given.benefit_id).update(gift_counts_to_limit=True)
    claim(bob, given.release)
    gift = send(given)
    with pytest.raises(errors.LimitReached):
        open_(gift, bob)


def test_blocked_givers_do_not_get_through(alice, bob, given):
    gift = open_(send(given), bob)
    block = gift_opening.block_giver(gift=gift, member=bob, now=database_now())
    gift.refresh_from_db()
    assert gift.state == "declined"
    second = send(given)
    with pytest.raises(gift_errors.GiverBlocked):
        open_(second, bob)
    gift_opening.unblock_giver(member=bob, block_id=block.pk)
    assert open_(second, bob).receiver_id == bob.pk


def test_a_day_has_five_gifts(alice):
    release = make_release(make_benefit(per_member=6), codes=6)
    made = [claim(alice, release) for _ in range(6)]
    for each in made[:5]:
        send(each)
    with pytest.raises(gift_errors.DailyLimit) as refused:
        send(made[5])
    assert (
        str(refused.value) == "You have sent 5 gifts today, as many as a day allows. Try tomorrow."
    )
    made[5].refresh_from_db()
    assert (made[5].frozen_at, Gift.objects.count()) == (None, 5)
    travel(days=1)
    assert send(made[5]).nth == 1


def test_one_claim_goes_out_three_times(given):
    for _ in range(3):
        gifts.recall_gift(gift=send(given), now=database_now())
    with pytest.raises(gift_errors.TooManyTries):
        send(given)


@pytest.mark.parametrize(
    ("hour", "refusal"),
    [
        ({"seconds": -1}, gift_errors.PastHour),
        ({"days": 61}, gift_errors.TooFarAhead),
    ],
)
def test_hours_that_make_no_sense(given, hour, refusal):
    before = as_is(given)
    with pytest.raises(refusal):
        send(given, deliver_at=soon(**hour))
    assert as_is(given) == before


def test_no_hour_after_the_code_has_ended(alice):
    day = soon(days=20).date().isoformat()
    release = make_release(make_benefit(), mode="codes")
    load_codes(release, 1, expires_on=day)
    made = claim(alice, release)
    with pytest.raises(gift_errors.EndsBeforeDelivery):
        send(made, deliver_at=soon(days=22))
    gift = send(made, deliver_at=soon(days=18))
    assert gift.returns_at == made.valid_until  # The code's last instant, sooner than a week.


def test_what_cannot_be_given(alice, given):
    reveal_claim(claim=given, now=database_now(), actor="member:x")
    bare = claim(alice, make_release(make_benefit(is_giftable=False), codes=1))
    for made in (given, bare):
        with pytest.raises(gift_errors.NotGiftable):
            send(made)
    assert list_giftable(member=alice, now=database_now()) == []
