"""Undone, given back, taken away, replaced, used in parts: what moves with each, exactly."""

import pytest

from benefits import errors
from benefits.models import Claim, Redemption
from benefits.services import endings, grants
from benefits.services.endings import reissue_claim, restore_claim, revoke_claim
from benefits.services.redemptions import Order, redeem_claim, roll_back_redemption
from benefits.services.returns import find_return_offer, return_claim
from benefits.services.reveal import reveal_claim
from credits.queries import get_balance
from tests.benefits.books import travel
from tests.benefits.factories import (
    claim,
    give_credits,
    make_benefit,
    make_provider,
    make_release,
)
from tests.benefits.test_claim_benefit import balance
from zone.core.clock import database_now
from zone.notices.models import Notice

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = {"actor": "member:test"}
TRIAL = {
    "kind": "apple_music_trial",
    "detail": {"service": "apple_music", "trial_period": "P3M"},
}


@pytest.fixture
def release(db):
    return make_release(make_benefit(price_credits=45), codes=2)


@pytest.fixture
def made(alice, release):
    give_credits(alice, 100)
    return claim(alice, release)


def test_undone_within_ten_minutes_every_credit_is_back_in_its_bucket(alice, release):
    give_credits(alice, 100)
    before = get_balance(alice).expiring
    made = claim(alice, release)
    travel(minutes=9, seconds=59)
    offer = find_return_offer(made, now=database_now())
    assert (offer.credits_back, offer.is_undo) == (45, True)
    return_claim(claim=made, now=database_now(), expected_credits=45, **WHO)
    assert balance(alice)[:2] == (100, 0)
    assert get_balance(alice).expiring == before
    made.refresh_from_db()
    assert (made.state, made.holds_slot) == ("returned", False)
    assert made.events.get(cause="undo").facts == {"credits_back": 45}
    assert claim(alice, release).nth == 1, "what was undone takes nothing from the limit"


def test_later_the_stated_share_comes_back_as_it_was_stated_then(alice, release, made):
    release.benefit.published_terms.get()  # 80 % when the claim was made
    type(release.benefit).objects.update(return_percent=10)
    travel(minutes=10)
    offer = find_return_offer(Claim.objects.get(pk=made.pk), now=database_now())
    assert (offer.credits_back, offer.is_undo) == (36, False)
    with pytest.raises(errors.ReturnRefused):
        return_claim(claim=made, now=database_now(), expected_credits=45, **WHO)
    assert balance(alice)[:2] == (55, 0)
    return_claim(claim=made, now=database_now(), expected_credits=36, **WHO)
    assert balance(alice)[:2] == (91, 0)


def test_what_was_seen_or_used_or_has_ended_stays(alice, made):
    reveal_claim(claim=made, now=database_now(), **WHO)
    made.refresh_from_db()
    with pytest.raises(errors.ClaimNotUsable):
        return_claim(claim=made, now=database_now(), **WHO)
    assert balance(alice)[:2] == (55, 0)


def test_a_providers_benefit_returns_only_where_the_provider_takes_it_back(alice, issuer):
    provider = make_provider(kind="sandbox", timeout_ms=800)
    release = make_release(make_benefit(price_credits=30, **TRIAL), stock=3, provider=provider)
    give_credits(alice, 30)
    made = claim(alice, release)
    grants.drain_grants()
    made = Claim.objects.select_related("release__provider").get(pk=made.pk)
    with pytest.raises(errors.ClaimNotUsable):
        return_claim(claim=made, now=database_now(), **WHO)
    type(provider).objects.update(allows_return=True)
    made = Claim.objects.get(pk=made.pk)
    issuer.control(keep=1)
    with pytest.raises(errors.ReturnRefused):
        return_claim(claim=made, now=database_now(), **WHO)
    assert balance(alice)[:2] == (0, 0)
    issuer.control()
    return_claim(claim=made, now=database_now(), **WHO)
    assert balance(alice)[:2] == (30, 0)
    assert issuer.orders()[made.public_id]["status"] == "canceled"


def test_a_provider_that_cannot_be_reached_keeps_everything_as_it_was(alice, issuer, settings):
    provider = make_provider(kind="sandbox", timeout_ms=400, allows_return=True)
    release = make_release(make_benefit(price_credits=30, **TRIAL), stock=3, provider=provider)
    give_credits(alice, 30)
    made = claim(alice, release)
    grants.drain_grants()
    settings.SANDBOX_ISSUER_URL = "http://127.0.0.1:9"
    made = Claim.objects.get(pk=made.pk)
    with pytest.raises(errors.ReturnUncertain):
        return_claim(claim=made, now=database_now(), **WHO)
    made.refresh_from_db()
    assert (made.state, balance(alice)[:2]) == ("granted", (0, 0))


def test_taken_away_with_its_credits_and_given_back_within_a_day(alice, made):
    end = made.valid_until
    revoke_claim(
        claim=made, reason="issue_error", now=database_now(), gives_credits_back=True, **WHO
    )
    assert balance(alice)[:2] == (100, 0)
    assert Notice.objects.get(kind="claim_revoked").facts["reason"] == "issue_error"
    travel(hours=23, minutes=59)
    restored = restore_claim(claim=made, now=database_now(), **WHO)
    assert (restored.state, restored.valid_until, restored.ended_at) == ("granted", end, None)
    assert balance(alice)[:2] == (55, 0)
    with pytest.raises(errors.ClaimNotUsable):
        restore_claim(claim=made, now=database_now(), **WHO)


def test_after_a_day_or_when_the_credits_are_spent_it_stays_away(alice, made):
    revoke_claim(claim=made, reason="fraud", now=database_now(), gives_credits_back=True, **WHO)
    give_credits(alice, 1)
    other = make_release(make_benefit(price_credits=101), codes=1)
    claim(alice, other)
    with pytest.raises(errors.RestoreRefused):
        restore_claim(claim=made, now=database_now(), **WHO)
    give_credits(alice, 100)
    travel(hours=24)
    with pytest.raises(errors.RestoreRefused):
        restore_claim(claim=made, now=database_now(), **WHO)
    made.refresh_from_db()
    assert (made.state, balance(alice)[:2]) == ("revoked", (100, 0))


def test_a_replacement_is_made_once_and_the_first_is_dead(alice, release, made):
    reveal_claim(claim=made, now=database_now(), **WHO)
    new = reissue_claim(claim=made, now=database_now(), actor="operator:x", note="did not work")
    again = reissue_claim(claim=made, now=database_now(), actor="operator:x")
    assert again == new
    made.refresh_from_db()
    assert (made.state, made.holds_slot, made.counts_to_limit) == ("revoked", True, False)
    assert (new.state, new.price_credits, new.nth, new.replaces_id) == ("granted", 0, 1, made.pk)
    assert new.slot != made.slot
    assert balance(alice)[:2] == (55, 0)
    with pytest.raises(errors.RestoreRefused):
        restore_claim(claim=made, now=database_now(), **WHO)
    with pytest.raises(errors.LimitReached):
        claim(alice, release)


def test_given_back_by_an_operator_it_can_be_given_back_by_its_owner(alice, made):
    revoke_claim(
        claim=made, reason="issue_error", actor="operator:x", now=database_now(),
        gives_credits_back=True,
    )  # fmt: skip
    restored = restore_claim(claim=made, actor="operator:x", now=database_now())
    assert balance(alice)[0] == 55
    return_claim(claim=restored, now=database_now(), expected_credits=45, **WHO)
    assert balance(alice)[:2] == (100, 0)


def test_a_replacement_taken_away_gives_back_what_the_first_one_cost_once(alice, made):
    second = reissue_claim(claim=made, actor="operator:x", now=database_now())
    revoke_claim(
        claim=second, reason="fraud", actor="operator:x", now=database_now(),
        gives_credits_back=True,
    )  # fmt: skip
    assert balance(alice)[0] == 100
    third = restore_claim(claim=second, actor="operator:x", now=database_now())
    assert (third.state, balance(alice)[0]) == ("granted", 55)


def test_without_a_unit_left_nothing_is_replaced_and_the_first_lives(alice, bob, made, release):
    give_credits(bob, 45)
    claim(bob, release)
    with pytest.raises(errors.SoldOut):
        reissue_claim(claim=made, now=database_now(), actor="operator:x")
    made.refresh_from_db()
    assert (made.state, made.counts_to_limit) == ("granted", True)


def test_an_unseen_code_of_a_lapsed_claim_goes_back_and_a_seen_one_does_not(alice, bob):
    release = make_release(make_benefit(valid_days=3), codes=2)
    unseen, seen = claim(alice, release), claim(bob, release)
    reveal_claim(claim=seen, now=database_now(), **WHO)
    travel(days=5)
    assert endings.expire_claims() == 2
    assert list(release.returned_slots.values_list("slot", flat=True)) == [unseen.slot]
    seen.refresh_from_db()
    assert (seen.state, seen.holds_slot) == ("expired", True)


def test_a_value_is_used_in_parts_until_nothing_is_left(alice):
    detail = {"currency": "CNY", "amount_off": 1000, "is_divisible": True, "minimum_spend": 100}
    made = claim(alice, make_release(make_benefit(detail=detail), codes=1))
    now = database_now()
    for order, reason in (
        (Order("A-1", 50, "CNY"), "minimum_spend"),
        (Order("A-1", 500, "HKD"), "currency"),
    ):
        with pytest.raises(errors.OrderNotEligible) as refused:
            redeem_claim(claim=made, now=now, order=order, **WHO)
        assert refused.value.facts["reason"] == reason
    first = redeem_claim(claim=made, now=now, order=Order("A-1", 700, "CNY"), **WHO)
    made.refresh_from_db()
    assert (first.discount, made.state) == (700, "granted")
    second = redeem_claim(claim=made, now=now, order=Order("A-2", 700, "CNY"), **WHO)
    made.refresh_from_db()
    assert (second.discount, made.state) == (300, "redeemed")
    with pytest.raises(errors.AlreadyRedeemed):
        redeem_claim(claim=made, now=now, order=Order("A-3", 700, "CNY"), **WHO)
    back = roll_back_redemption(redemption=first, now=now, amount=200, **WHO)
    made.refresh_from_db()
    assert (back.status, back.discount_back, made.state) == ("redeemed", 200, "granted")
    with pytest.raises(errors.RollbackRefused):
        roll_back_redemption(redemption=first, now=now, amount=501, **WHO)
    whole = roll_back_redemption(redemption=first, now=now, **WHO)
    assert (whole.status, whole.discount_back) == ("rolled_back", 700)
    third = redeem_claim(claim=made, now=now, order=Order("A-4", 2000, "CNY"), **WHO)
    assert third.discount == 700


def test_a_use_rolled_back_twice_is_the_same_row(alice):
    made = claim(alice, make_release(make_benefit(), codes=1))
    used = redeem_claim(claim=made, now=database_now(), **WHO)
    first = roll_back_redemption(redemption=used, now=database_now(), reason="a", **WHO)
    again = roll_back_redemption(redemption=used, now=database_now(), reason="b", **WHO)
    assert (again.rollback_reason, again.rolled_back_at) == ("a", first.rolled_back_at)
    assert made.events.filter(cause="roll_back").count() == 1
    assert Redemption.objects.count() == 1
