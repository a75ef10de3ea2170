"""Limits over time, slices of stock, prices and budgets: exact values, and what a refusal leaves."""

from datetime import timedelta

import pytest
from django.db import connection

from benefits import errors
from benefits.models import (
    Budget,
    BudgetShare,
    BudgetUse,
    PriceRow,
    Quota,
    QuotaCount,
    QuotaUse,
    Segment,
)
from benefits.queries import get_card, read_terms
from benefits.services.endings import reissue_claim, restore_claim, revoke_claim
from benefits.services.returns import return_claim
from benefits.verify import INVARIANTS
from credits.queries import get_balance
from tests.benefits.books import assert_books_hold
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.factories import bind, make_member
from zone.core.clock import database_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def travel():
    """Move the database's clock forward, for this test's connection alone."""
    with connection.cursor() as cursor:
        yield lambda offset: cursor.execute(
            "SELECT set_config('zone.clock_offset', %s, false)", [offset]
        )
        cursor.execute("SELECT set_config('zone.clock_offset', '', false)")


def quota(benefit, **fields):
    return Quota.objects.create(benefit=benefit, **{"holder": "member", **fields})


@pytest.mark.parametrize(
    ("period", "wait"),
    [
        ("hour", "1 hour"),
        ("day", "1 day"),
        ("week", "7 days"),
        ("month", "31 days"),
        ("quarter", "92 days"),
    ],
)
def test_a_window_fills_and_the_next_one_opens(alice, travel, period, wait):
    benefit = make_benefit(per_member=9)
    release = make_release(benefit, codes=5)
    quota(benefit, period=period, allowed=2)
    claim(alice, release)
    claim(alice, release)
    with pytest.raises(errors.QuotaReached) as refused:
        claim(alice, release)
    assert refused.value.facts["limit"] == f"2_per_{period}"
    assert alice.claims.count() == 2
    again_at = refused.value.facts["again_at"]
    longest = 92 if period == "quarter" else 31
    assert database_now() < again_at <= database_now() + timedelta(days=longest)
    travel(wait)
    assert claim(alice, release).state == "granted"


def test_a_pause_after_each_claim(alice, travel):
    benefit = make_benefit(per_member=9)
    release = make_release(benefit, codes=5)
    quota(benefit, period="cooldown", pause_minutes=60)
    claim(alice, release)
    travel("59 minutes")
    with pytest.raises(errors.QuotaReached):
        claim(alice, release)
    travel("61 minutes")
    claim(alice, release)
    assert alice.claims.count() == 2


def test_a_returned_claim_counts_nowhere(alice):
    benefit = make_benefit(price_credits=10)
    benefit.budget = budget = Budget.objects.create(code="b", name="B", currency="CNY", amount=500)
    benefit.unit_cost = 300
    benefit.save()
    BudgetShare.objects.create(budget=budget, funder="apple", basis_points=10000)
    release = make_release(benefit, codes=5)
    quota(benefit, period="day")
    quota(benefit, period="cooldown", pause_minutes=600)
    give_credits(alice, 100)
    first = claim(alice, release)
    budget.refresh_from_db()
    assert budget.spent == 300
    return_claim(claim=first, now=database_now(), actor="operator:test")
    assert set(QuotaUse.objects.values_list("used", "frees_at")) == {(0, None)}
    assert BudgetUse.objects.count() == 0
    budget.refresh_from_db()
    assert budget.spent == 0
    assert claim(alice, release).state == "granted"


def test_a_replacement_counts_where_the_first_did_and_costs_once_more(alice):
    benefit = make_benefit()
    benefit.budget = budget = Budget.objects.create(code="b", name="B", currency="CNY", amount=700)
    benefit.unit_cost = 300
    benefit.save()
    BudgetShare.objects.create(budget=budget, funder="apple", basis_points=10000)
    release = make_release(benefit, codes=5)
    quota(benefit, period="day")
    first = claim(alice, release)
    second = reissue_claim(claim=first, actor="operator:test", now=database_now())
    assert books_of_counting() == {"used": [1], "counted": [second.pk], "spent": 600}
    with pytest.raises(errors.QuotaReached):
        claim(alice, make_release(benefit, codes=1))
    with pytest.raises(errors.BudgetExhausted):
        reissue_claim(claim=second, actor="operator:test", now=database_now())
    second.refresh_from_db()
    assert second.state == "granted"
    assert books_of_counting() == {"used": [1], "counted": [second.pk], "spent": 600}
    return_claim(claim=second, now=database_now(), actor="member:test")
    assert books_of_counting() == {"used": [0], "counted": [], "spent": 300}
    assert claim(alice, make_release(benefit, codes=1)).state == "granted"
    assert_books_hold()


def test_taken_away_and_given_back_it_counts_as_before(alice):
    benefit = make_benefit(per_member=5)
    release = make_release(benefit, codes=5)
    quota(benefit, period="day", allowed=1)
    made = claim(alice, release)
    for verb in (revoke, restore_claim):
        verb(claim=made, actor="operator:test", now=database_now())
        assert books_of_counting() == {"used": [1], "counted": [made.pk], "spent": 0}
        with pytest.raises(errors.QuotaReached):
            claim(alice, release)
    assert_books_hold()


def revoke(**values):
    revoke_claim(reason="fraud", **values)


def books_of_counting():
    return {
        "used": list(QuotaUse.objects.values_list("used", flat=True)),
        "counted": list(QuotaCount.objects.values_list("claim_id", flat=True)),
        "spent": sum(Budget.objects.values_list("spent", flat=True)),
    }


def test_a_claim_that_counts_nowhere_any_more_is_found(alice):
    benefit = make_benefit()
    quota(benefit, period="day")
    claim(alice, make_release(benefit, codes=1))
    QuotaCount.objects.all().delete()
    QuotaUse.objects.update(used=0)
    promise = next(each for each in INVARIANTS if each.id == "I32b")
    with connection.cursor() as cursor:
        cursor.execute(promise.sql)
        assert len(cursor.fetchall()) == 1


def test_a_person_is_refused_without_a_word_about_the_other_member(alice):
    benefit = make_benefit(per_member=5)
    release = make_release(benefit, codes=5)
    quota(benefit, holder="person", period="total")
    other = make_member(wallet="ALIPAY_HK")
    bind(other)
    for member in (alice, other):
        member.person_token = b"t" * 32
        member.save(update_fields=["person_token"])
    claim(other, release)
    with pytest.raises(errors.NotAgain) as by_other:
        claim(alice, release)
    with pytest.raises(errors.NotAgain) as by_self:
        claim(other, release)
    assert str(by_other.value) == str(by_self.value)
    assert by_other.value.facts == by_self.value.facts == {"reason": "limit"}
    assert alice.claims.count() == 0


def test_a_slice_of_a_wallet_ends_for_that_wallet_alone(alice, bob):
    benefit = make_benefit()
    release = make_release(benefit, codes=5)
    quota(benefit, holder="all", period="day", wallet_id="ALIPAY_CN")
    hong_kong = make_member(wallet="ALIPAY_HK")
    bind(hong_kong)
    claim(alice, release)
    with pytest.raises(errors.SliceSoldOut):
        claim(bob, release)
    assert claim(hong_kong, release).state == "granted"


def test_a_slice_of_an_hour_ends_for_everybody_and_comes_again(alice, bob, travel):
    benefit = make_benefit()
    release = make_release(benefit, codes=5)
    quota(benefit, holder="all", period="hour", allowed=1)
    first = claim(alice, release)
    with pytest.raises(errors.SliceSoldOut) as refused:
        claim(bob, release)
    assert refused.value.facts["period"] == "hour"
    wait = refused.value.facts["again_at"] - database_now()
    assert timedelta(0) < wait <= timedelta(hours=1)
    travel(f"{wait.total_seconds() - 0.5} seconds")
    with pytest.raises(errors.SliceSoldOut):
        claim(bob, release)
    travel(f"{wait.total_seconds() + 0.01} seconds")
    assert claim(bob, release).slot != first.slot


def test_a_card_says_what_the_claim_would(alice):
    benefit = make_benefit(per_member=5)
    release = make_release(benefit, codes=5)
    quota(benefit, period="day")
    claim(alice, release)
    card = get_card(slug=benefit.slug, member=alice, available=0, now=database_now(), language="en")
    assert card.state == "locked"
    with pytest.raises(errors.QuotaReached) as refused:
        claim(alice, release)
    assert card.sentence == str(refused.value)


def test_the_first_price_row_that_fits_counts_and_the_claim_keeps_it(alice, bob):
    benefit = make_benefit(price_credits=100, per_member=3)
    release = make_release(benefit, codes=5)
    gold = Segment.objects.create(code="gold", name="Gold")
    gold.rows.create(member=alice)
    PriceRow.objects.create(benefit=benefit, position=1, segment=gold, price_credits=80)
    row = PriceRow.objects.create(benefit=benefit, position=2, price_credits=90)
    for member in (alice, bob):
        give_credits(member, 100)
    assert claim(alice, release).price_credits == 80
    assert claim(bob, release).price_credits == 90
    row.delete()
    terms = read_terms(member=bob, chosen=[(benefit, release)], now=database_now())
    assert terms[benefit.pk].price_credits == 100
    assert [get_balance(m).available for m in (alice, bob)] == [20, 10]
    assert bob.claims.get().price_credits == 90


def test_a_budget_in_another_currency_pays_for_nothing(alice):
    budget = Budget.objects.create(code="b", name="B", currency="HKD", amount=500)
    BudgetShare.objects.create(budget=budget, funder="apple", basis_points=10000)
    release = make_release(make_benefit(budget=budget, unit_cost=1), codes=1)
    with pytest.raises(errors.BudgetExhausted):
        claim(alice, release)
    assert alice.claims.count() == 0
