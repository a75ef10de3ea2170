"""A member's tier in the price, in a slice of the stock, and in a rule."""

import pytest

from benefits import errors
from benefits.conditions.snapshot import take_snapshot
from benefits.conditions.tree import judge, read_tree
from benefits.models import PriceRow, Quota, QuotaUse
from benefits.queries import get_card, read_terms
from credits import ledger
from credits.models import TierPlan
from credits.queries import get_balance
from credits.queries.tiers import get_tier, list_tiers
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import bind, make_member, make_operator, sign_in_operator
from zone.core.clock import database_now
from zone.core.ids import uuid7

pytestmark = pytest.mark.django_db
GOLD = 2000  # What the first plan asks for.


def earn(member, amount):
    ledger.earn(member_id=member.pk, op_id=uuid7(), amount=amount)


@pytest.fixture
def gold_alice(alice):
    earn(alice, GOLD)
    assert get_tier(alice).code == "gold"
    return alice


def card_of(benefit, member):
    return get_card(
        slug=benefit.slug,
        member=member,
        available=get_balance(member).available,
        now=database_now(),
        language="en",
    )


def test_gold_pays_eighty_and_others_a_hundred(gold_alice, bob):
    earn(bob, 500)
    benefit = make_benefit(price_credits=100)
    release = make_release(benefit, codes=5)
    PriceRow.objects.create(benefit=benefit, position=1, tier="platinum", price_credits=60)
    PriceRow.objects.create(benefit=benefit, position=2, tier="gold", price_credits=80)
    now = database_now()
    for member, price, row in ((gold_alice, 80, 2), (bob, 100, None)):
        terms = read_terms(member=member, chosen=[(benefit, release)], now=now)[benefit.pk]
        assert (terms.price_credits, terms.price_row) == (price, row)
        assert card_of(benefit, member).price_credits == price
        before = get_balance(member).available
        assert claim(member, release).price_credits == price
        assert get_balance(member).available == before - price


def test_a_member_who_rose_pays_the_new_price_at_once(alice):
    earn(alice, GOLD - 1)
    benefit = make_benefit(price_credits=100, per_member=2)
    release = make_release(benefit, codes=5)
    PriceRow.objects.create(benefit=benefit, position=1, tier="gold", price_credits=80)
    assert claim(alice, release).price_credits == 100
    earn(alice, 1)
    assert claim(alice, release).price_credits == 80


def test_no_plan_no_tier_no_better_price(gold_alice):
    TierPlan.objects.update(is_active=False)
    benefit = make_benefit(price_credits=100)
    release = make_release(benefit, codes=5)
    PriceRow.objects.create(benefit=benefit, position=1, tier="gold", price_credits=80)
    assert claim(gold_alice, release).price_credits == 100


def test_a_slice_of_the_stock_for_one_tier(gold_alice, bob):
    benefit = make_benefit()
    release = make_release(benefit, codes=5)
    Quota.objects.create(benefit=benefit, holder="all", period="total", tier="silver", allowed=1)
    claim(bob, release)
    other = make_member()
    bind(other)
    assert isinstance(card_of(benefit, other).refusal, errors.SliceSoldOut)
    with pytest.raises(errors.SliceSoldOut):
        claim(other, release)
    assert claim(gold_alice, release).state == "granted", "the slice binds silver members alone"
    assert QuotaUse.objects.get().used == 1


def test_a_benefit_without_tiers_asks_for_none(alice, django_assert_num_queries):
    benefit = make_benefit()
    release = make_release(benefit, codes=5)
    chosen, now = [(benefit, release)], database_now()
    with django_assert_num_queries(1):
        read_terms(member=alice, chosen=chosen, now=now)


def verdict(member, tree):
    rule = read_tree(tree)
    return judge(rule, take_snapshot(member, sources=rule.sources, now=database_now()))


def test_a_rule_by_tier_says_how_far_and_is_true(alice):
    earn(alice, GOLD - 40)
    rule = {"is": "tier", "least": "gold"}
    told = verdict(alice, rule)
    assert (told.is_met, told.sentence) == (False, "This is for members from Gold up.")
    assert [(step.kind, step.amount) for step in told.steps] == [("earn", 40)]
    assert told.steps[0].sentence == "Earn 40 more credits to reach Gold"
    earn(alice, told.steps[0].amount)
    assert verdict(alice, rule).is_met
    assert verdict(alice, {"is": "tier", "least": "silver", "most": "gold"}).is_met
    above = verdict(alice, {"is": "tier", "most": "silver"})
    assert (above.is_met, above.steps) == (False, None)
    assert not verdict(alice, {"is": "tier", "least": "mithril"}).is_met


def test_many_tiers_are_read_as_one_would_be(alice, bob, carol, django_assert_num_queries):
    earn(alice, GOLD)
    earn(bob, 10)
    members = [alice.pk, bob.pk, carol.pk]
    alone = {key: get_tier(key) for key in members}
    assert [alone[key].code for key in members] == ["gold", "silver", "silver"]
    with django_assert_num_queries(5):
        assert list_tiers(members) == alone


def test_operators_choose_among_the_tiers_there_are(client):
    benefit = make_benefit(price_credits=100)
    PriceRow.objects.create(benefit=benefit, position=1, tier="mithril", price_credits=80)
    sign_in_operator(client, make_operator("editor"))
    page = client.get(f"/console/benefits/benefit/{benefit.pk}/change/").content.decode()
    assert '<option value="gold">Gold</option>' in page
    assert '<option value="mithril" selected>mithril</option>' in page
