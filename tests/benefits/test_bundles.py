"""Bundles: what one claim means for the others, and what is put back when a choice changes."""

import pytest

from benefits import errors, queries
from benefits.models import Bundle, BundleItem, Claim, Quota, QuotaUse
from benefits.services.bundles import change_choice, claim_bundle
from benefits.services.endings import reissue_claim, revoke_claim
from benefits.services.returns import find_return_offer, return_claim
from benefits.services.reveal import reveal_claim
from tests.benefits.books import travel
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.benefits.gifting import accept, open_, send
from tests.benefits.test_claim_benefit import balance
from tests.benefits.test_rules import buy
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.core.ids import uuid7

pytestmark = pytest.mark.usefixtures("sound_books")


def make_bundle(kind, benefits, **fields):
    bundle = Bundle.objects.create(
        slug=f"set-{Bundle.objects.count()}",
        kind=kind,
        words={"en": {"title": "A set", "text": "One of these."}},
        **fields,
    )
    for place, benefit in enumerate(benefits):
        least = place * 1000 if kind == "ladder" else 0
        BundleItem.objects.create(bundle=bundle, benefit=benefit, position=place, least_spent=least)
    return bundle


def releases(number, **fields):
    return [make_release(make_benefit(**fields), codes=2) for _ in range(number)]


def state_of(member, release):
    card = queries.get_card(
        slug=release.benefit.slug, member=member, available=1000, now=database_now()
    )
    return card.state, card.sentence


def test_a_pick_uses_up_the_right_to_the_others(alice, bob):
    four = releases(4)
    make_bundle("pick", [release.benefit for release in four])
    first = claim(alice, four[1])
    for other in (four[0], four[2], four[3]):
        with pytest.raises(errors.AlreadyChosen) as refused:
            claim(alice, other)
        title = four[1].benefit.texts.get().title
        assert str(refused.value) == f"You chose “{title}” instead of this one."
        assert refused.value.facts["chosen"] == four[1].benefit.public_id
        assert state_of(alice, other) == ("locked", str(refused.value))
    assert list(alice.claims.all()) == [first]
    assert claim(bob, four[0]).state == "granted", "another member's right is their own"


def test_two_of_three(alice):
    three = releases(3)
    make_bundle("pick", [release.benefit for release in three], picks=2)
    claim(alice, three[0])
    claim(alice, three[1])
    with pytest.raises(errors.AlreadyChosen):
        claim(alice, three[2])


def test_what_is_given_back_gives_the_right_back(alice):
    two = releases(2)
    make_bundle("pick", [release.benefit for release in two])
    return_claim(claim=claim(alice, two[0]), now=database_now(), actor="member:test")
    assert claim(alice, two[1]).state == "granted"


def test_what_was_taken_away_does_not(alice):
    two = releases(2)
    make_bundle("pick", [release.benefit for release in two])
    made = claim(alice, two[0])
    revoke_claim(claim=made, reason="fraud", actor="operator:x", now=database_now())
    with pytest.raises(errors.AlreadyChosen):
        claim(alice, two[1])


def test_only_the_last_days_count_where_it_says_so(alice):
    two = releases(2)
    make_bundle("pick", [release.benefit for release in two], within_days=30)
    claim(alice, two[0])
    travel(days=29, hours=23)
    with pytest.raises(errors.AlreadyChosen):
        claim(alice, two[1])
    travel(days=30, hours=1)
    assert claim(alice, two[1]).state == "granted"


def test_benefits_that_exclude_each_other_do_not_exclude_themselves(alice):
    one, other = make_benefit(per_member=2), make_benefit()
    first, second = make_release(one, codes=3), make_release(other, codes=3)
    make_bundle("apart", [one, other])
    claim(alice, first)
    claim(alice, first)
    with pytest.raises(errors.AlreadyChosen) as refused:
        claim(alice, second)
    assert refused.value.facts["chosen"] == one.public_id


def test_switched_off_it_refuses_nothing(alice):
    two = releases(2)
    bundle = make_bundle("apart", [release.benefit for release in two])
    claim(alice, two[0])
    Bundle.objects.filter(pk=bundle.pk).update(is_active=False)
    assert claim(alice, two[1]).state == "granted"
    Bundle.objects.filter(pk=bundle.pk).update(is_active=True, holds_since=database_now())


def test_a_choice_changes_until_it_was_seen(alice):
    cheap, dear = make_benefit(price_credits=40), make_benefit(price_credits=60)
    one, other = make_release(cheap, codes=2), make_release(dear, codes=2)
    make_bundle("pick", [cheap, dear])
    give_credits(alice, 100)
    first = claim(alice, one)
    op_id = uuid7()
    travel(minutes=11)
    second = change_choice(claim=first, release=other, op_id=op_id, now=database_now())
    first.refresh_from_db()
    assert (first.state, first.holds_slot, second.state) == ("returned", False, "granted")
    assert balance(alice)[:2] == (40, 0), "the first came back whole although its undo was over"
    again = change_choice(claim=first, release=other, op_id=op_id, now=database_now())
    assert again == second
    offer = find_return_offer(second, now=database_now())
    assert (offer.is_undo, offer.credits_back) == (False, 48), "a change begins no new ten minutes"
    reveal_claim(claim=second, now=database_now(), actor="member:test")
    with pytest.raises(errors.ChoiceIsFinal):
        change_choice(claim=second, release=one, op_id=uuid7(), now=database_now())
    assert balance(alice)[:2] == (40, 0)


def test_when_the_other_is_gone_the_first_stays(alice, bob):
    give_credits(alice, 40)
    one = make_release(make_benefit(price_credits=40), codes=1)
    other = make_release(make_benefit(), codes=1)
    make_bundle("pick", [one.benefit, other.benefit])
    claim(bob, other)
    first = claim(alice, one)
    with pytest.raises(errors.SoldOut):
        change_choice(claim=first, release=other, op_id=uuid7(), now=database_now())
    first.refresh_from_db()
    assert (first.state, first.holds_slot) == ("granted", True)
    assert balance(alice)[:2] == (0, 0)


def test_a_gift_is_nobodys_choice_to_change(alice, bob):
    two = releases(2)
    given = claim(alice, two[0])
    received = accept(open_(send(given), bob), bob)
    make_bundle("pick", [release.benefit for release in two])
    type(received).objects.filter(pk=received.pk).update(counts_to_limit=True)
    with pytest.raises(errors.ChoiceIsFinal):
        change_choice(claim=received, release=two[1], op_id=uuid7(), now=database_now())
    assert bob.claims.get().state == "granted"


def test_a_replacement_changes_for_what_the_first_one_cost(alice):
    one = make_release(make_benefit(price_credits=40), codes=2)
    other = make_release(make_benefit(price_credits=10), codes=1)
    make_bundle("pick", [one.benefit, other.benefit])
    give_credits(alice, 40)
    made = reissue_claim(claim=claim(alice, one), actor="operator:x", now=database_now())
    change_choice(claim=made, release=other, op_id=uuid7(), now=database_now())
    assert balance(alice)[:2] == (30, 0)


def test_only_within_a_choice(alice):
    one, stranger = releases(2)
    made = claim(alice, one)
    with pytest.raises(NotFound):
        change_choice(claim=made, release=stranger, op_id=uuid7(), now=database_now())
    assert alice.claims.count() == 1


def test_a_change_frees_the_windows_of_the_first(alice):
    two = releases(2)
    make_bundle("pick", [release.benefit for release in two])
    for release in two:
        Quota.objects.create(benefit=release.benefit, holder="member", period="day")
    first = claim(alice, two[0])
    change_choice(claim=first, release=two[1], op_id=uuid7(), now=database_now())
    assert list(QuotaUse.objects.order_by("quota_id").values_list("used", flat=True)) == [0, 1]


def test_all_of_it_comes_at_once_or_not_at_all(alice, bob):
    three = releases(3, price_credits=10)
    bundle = make_bundle("all", [release.benefit for release in three])
    give_credits(alice, 29)
    with pytest.raises(errors.NotEnoughCredits):
        claim_bundle(member=alice, bundle=bundle, op_id=uuid7(), now=database_now(), price=30)
    assert (alice.claims.count(), balance(alice)[0]) == (0, 29)
    give_credits(alice, 1)
    with pytest.raises(errors.PriceChanged):
        claim_bundle(member=alice, bundle=bundle, op_id=uuid7(), now=database_now(), price=29)
    op_id = uuid7()
    made = claim_bundle(member=alice, bundle=bundle, op_id=op_id, now=database_now(), price=30)
    again = claim_bundle(member=alice, bundle=bundle, op_id=op_id, now=database_now(), price=30)
    assert [c.release_id for c in made] == [release.pk for release in three]
    assert [c.pk for c in again] == [c.pk for c in made]
    assert (alice.claims.count(), balance(alice)[:2]) == (3, (0, 0))


def test_what_comes_with_a_bundle_does_not_come_alone(alice):
    two = releases(2)
    bundle = make_bundle("all", [release.benefit for release in two])
    with pytest.raises(errors.RuleNotMet) as refused:
        claim(alice, two[0])
    assert refused.value.facts["reason"] == "bundle_only"
    assert state_of(alice, two[0])[0] == "locked"
    read = queries.read_bundle(
        bundle=bundle, member=alice, available=0, now=database_now(), language="en"
    )
    assert ([card.state for card in read.cards], read.is_claimable) == (["claimable"] * 2, True)


def test_a_ladder_opens_step_by_step(alice):
    three = releases(3)
    make_bundle("ladder", [release.benefit for release in three], currency="CNY", spent_days=30)
    claim(alice, three[0])
    with pytest.raises(errors.RuleNotMet) as refused:
        claim(alice, three[1])
    assert refused.value.steps[0].amount == 1000
    buy(alice, at=database_now(), amount=refused.value.steps[0].amount)
    assert claim(alice, three[1]).state == "granted"
    with pytest.raises(errors.RuleNotMet):
        claim(alice, three[2])
    assert Claim.objects.filter(member=alice).count() == 2
