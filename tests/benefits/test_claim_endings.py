"""What ends a claim, and what its readers are told: exact to the instant, once each."""

from datetime import timedelta

import pytest
from django.db import connection

from benefits import errors, queries
from benefits.models import Claim, DropSchedule
from benefits.services import drops, endings
from benefits.services.redemptions import redeem_claim, roll_back_redemption
from benefits.services.returns import return_claim
from benefits.services.reveal import reveal_claim
from tests.benefits.factories import (
    claim,
    give_credits,
    make_benefit,
    make_provider,
    make_release,
    soon,
)
from tests.benefits.test_claim_benefit import balance
from zone.core.clock import database_now


def later(days):
    with connection.cursor() as cursor:
        cursor.execute(f"SET zone.clock_offset = '{days} days'")


@pytest.fixture(autouse=True)
def _own_time(db):
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET zone.clock_offset")


def test_the_end_holds_before_any_sweep_and_is_settled_once(alice):
    made = claim(alice, make_release(make_benefit(valid_days=3), codes=1))
    later(5)
    now = database_now()
    assert (made.state, made.state_at(now)) == ("granted", "expired")
    assert queries.count_claims(member=alice, now=now) == queries.ClaimCounts(0, 0, 1)
    for verb in (reveal_claim, redeem_claim):
        with pytest.raises(errors.ClaimNotUsable):
            verb(claim=made, now=now, actor="member:test")
    assert (endings.expire_claims(), endings.expire_claims()) == (1, 0)
    made.refresh_from_db()
    assert (made.state, made.ended_at) == ("expired", made.valid_until)
    assert made.events.filter(cause="expire").count() == 1


def test_a_reveal_is_on_record_and_the_code_stays_the_same(alice):
    made = claim(alice, make_release(make_benefit(), codes=1))
    first = reveal_claim(claim=made, now=database_now(), actor=f"member:{alice.public_id}")
    again = reveal_claim(claim=made, now=database_now(), actor=f"member:{alice.public_id}")
    assert first == again
    assert first.redeem_url.endswith(first.code)
    assert made.events.filter(cause="reveal").count() == 2
    with pytest.raises(errors.ClaimNotUsable):
        return_claim(claim=made, now=database_now(), actor="member:test")


def test_an_unseen_claim_returns_with_credits_and_slot(alice, bob):
    give_credits(alice, 100)
    release = make_release(make_benefit(price_credits=40), codes=1)
    made = claim(alice, release)
    return_claim(claim=made, now=database_now(), actor="member:test")
    assert balance(alice)[:2] == (100, 0)
    give_credits(bob, 40)
    assert claim(bob, release).slot == made.slot
    with pytest.raises(errors.ClaimNotUsable):
        return_claim(claim=made, now=database_now(), actor="member:test")


def test_a_use_counts_once_and_can_be_undone(alice):
    made = claim(alice, make_release(make_benefit(), codes=1))
    used = redeem_claim(claim=made, now=database_now(), actor="partner:test")
    with pytest.raises(errors.AlreadyRedeemed) as refused:
        redeem_claim(claim=made, now=database_now(), actor="partner:test")
    assert refused.value.facts["redeemed_at"] == used.redeemed_at
    roll_back_redemption(redemption=used, now=database_now(), actor="partner:test")
    made.refresh_from_db()
    assert (made.state, made.redeemed_at) == ("granted", None)


def test_a_revoked_claim_keeps_its_slot(alice, bob):
    give_credits(alice, 40)
    release = make_release(make_benefit(price_credits=40), codes=1)
    made = claim(alice, release)
    endings.revoke_claim(
        claim=made, reason="fraud", actor="operator:x", now=database_now(), gives_credits_back=True
    )
    assert balance(alice)[0] == 40
    give_credits(bob, 40)
    with pytest.raises(errors.SoldOut):
        claim(bob, release)


def test_a_drop_is_made_once_a_day_and_opens_on_the_second(alice):
    benefit = make_benefit(kind="icloud_trial", detail={"service": "i", "trial_period": "P1M"})
    opens = soon(hours=8, minutes=1).time().replace(second=0, microsecond=0)  # local, UTC+8
    DropSchedule.objects.create(
        benefit=benefit, opens_at_local=opens, time_zone="Asia/Shanghai", stock=5,
        provider=make_provider(), starts_on="2026-01-01", open_minutes=60,
    )  # fmt: skip
    assert drops.make_drops() >= 1
    assert drops.make_drops() == 0
    release = benefit.releases.filter(opens_at__gt=database_now()).earliest("opens_at")
    with pytest.raises(errors.NotStarted) as refused:
        claim(alice, release)
    assert refused.value.facts["opens_at"] == release.opens_at
    wait = (release.opens_at - database_now()).total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(f"SET zone.clock_offset = '{wait + 0.01} seconds'")
    assert claim(alice, release).state == "reserved"


def test_the_catalogue_asks_eleven_questions_however_long_it_is(
    alice, django_assert_max_num_queries
):
    def read():
        now = database_now()
        with django_assert_max_num_queries(11):
            return queries.list_cards(member=alice, available=50, now=now)

    make_release(make_benefit(), codes=1)
    assert [card.state for card in read()] == ["claimable"]
    for _ in range(6):
        make_release(make_benefit(price_credits=58), codes=1)
    cards = read()
    assert len(cards) == 7
    locked = [card for card in cards if card.state == "locked"]
    assert {(card.gap, card.next_step, card.sentence) for card in locked} == {
        (8, "earn", "You need 8 more credits.")
    }


def test_cards_say_what_tapping_would_do(alice, bob, carol):
    now = database_now()
    owned = make_release(make_benefit(slug="owned"), codes=2)
    gone = make_release(make_benefit(slug="gone"), codes=1)
    make_release(make_benefit(slug="coming"), codes=1, opens_at=now + timedelta(hours=1))
    make_release(make_benefit(slug="paused"), codes=1)
    owned.benefit.__class__.objects.filter(slug="paused").update(status="paused")
    claim(alice, owned)
    claim(bob, gone)

    def states(member):
        cards = queries.list_cards(member=member, available=0, now=database_now())
        return {card.benefit.slug: card.state for card in cards}

    expected = {"owned": "owned", "gone": "sold_out", "coming": "not_yet", "paused": "paused"}
    assert states(alice) == expected
    assert states(carol) == {**expected, "owned": "locked"}
    card = queries.get_card(slug="owned", member=carol, available=0, now=database_now())
    assert (card.next_step, card.left, card.stock) == ("bind", 1, "few")
    assert Claim.objects.filter(member=carol).count() == 0
