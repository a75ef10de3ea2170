"""A gift's whole life: who owns what, when it ends, and what each side is told."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from benefits import errors, gift_errors, queries
from benefits.models import Claim, Gift
from benefits.services import endings, gift_clock, gift_moves, gift_opening, gifts
from benefits.services.redemptions import redeem_claim
from benefits.services.returns import return_claim
from benefits.services.reveal import reveal_claim
from tests.benefits.books import travel
from tests.benefits.factories import (
    claim,
    give_credits,
    make_benefit,
    make_release,
    soon,
)
from tests.benefits.gifting import accept, as_is, open_, send, told
from tests.factories import bind, make_member
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.core.ids import uuid7
from zone.notices.models import Notice

pytestmark = pytest.mark.usefixtures("sound_books")


def test_a_gift_changes_hands_with_its_code_and_its_life(alice, bob, given):
    end = given.valid_until
    gift = send(given, signed_by="Ann", receiver_name="Bob")
    given.refresh_from_db()
    assert (given.state, given.valid_until, given.frozen_at) == ("granted", None, gift.frozen_at)
    travel(days=3)
    gift = open_(gift, bob)
    assert (gift.state, gift.receiver_id, gift_moves.read_token(gift)) == ("opened", bob.pk, "")
    received = accept(gift, bob)
    assert as_is(given) == ("gifted", False, None, end)
    gift.refresh_from_db()
    assert received.valid_until == end + timedelta(days=3)
    assert (received.slot, received.price_credits, received.member_id) == (given.slot, 0, bob.pk)
    with pytest.raises(errors.ClaimNotUsable):
        return_claim(claim=received, now=database_now(), actor="member:test")
    shown = reveal_claim(claim=received, now=database_now(), actor="member:test")
    assert shown.code.startswith("TEST")
    with pytest.raises(errors.ClaimNotUsable):
        reveal_claim(claim=given, now=database_now(), actor="member:test")
    assert (told(alice), told(bob)) == (["gift_opened"], ["gift_received"])
    assert accept(gift, bob) == received  # A repeated press changes nothing.
    assert [e.cause for e in given.events.order_by("id")] == [
        "claim", "gift_send", "gift_open", "gift_accept",
    ]  # fmt: skip


def test_on_its_way_it_cannot_be_shown_used_returned_or_expire(alice, given):
    end = given.valid_until
    gift = send(given)
    now = database_now()
    for refused in (
        lambda: reveal_claim(claim=given, now=now, actor="member:x"),
        lambda: redeem_claim(claim=given, now=now, actor="member:x"),
        lambda: return_claim(claim=given, now=now, actor="member:x"),
        lambda: send(given),
    ):
        with pytest.raises(errors.ClaimInTransit):
            refused()
    travel(days=35)
    assert endings.expire_claims() == 0
    given.refresh_from_db()
    assert (given.state, given.state_at(database_now())) == ("granted", "granted")
    assert queries.count_claims(member=alice, now=database_now()).available == 1
    assert gift_clock.drain_gifts() == 1
    gift.refresh_from_db()
    given.refresh_from_db()
    assert gift.state == "returned"
    assert given.valid_until == end + timedelta(days=35)
    assert told(alice) == ["gift_returned"]
    assert gift_clock.drain_gifts() == 0


@pytest.mark.parametrize(
    "damage",
    [{"revealed_at": soon}, {"state": "redeemed"}, {"state": "expired"}, {"valid_until": soon}],
)
def test_the_database_itself_keeps_what_is_frozen(given, damage):
    send(given)
    values = {name: value() if callable(value) else value for name, value in damage.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.filter(pk=given.pk).update(**values)


def test_called_back_it_has_its_old_end(given):
    before = as_is(given)
    gift = send(given, deliver_at=soon(days=2), time_zone="Asia/Manila")
    travel(days=1)
    gifts.recall_gift(gift=gift, now=database_now())
    assert as_is(given) == before
    assert gifts.recall_gift(gift=gift, now=database_now()).state == "recalled"
    with pytest.raises(gift_errors.GiftOver):
        gift_opening.open_gift(
            token=gift_moves.read_token(gift), member=make_member(), now=database_now()
        )


def test_called_back_after_its_end_it_keeps_the_life_it_had(given):
    life = given.valid_until - database_now()
    gift = send(given, deliver_at=soon(days=40))
    travel(days=35)
    gifts.recall_gift(gift=gift, now=database_now())
    given.refresh_from_db()
    assert abs(given.valid_until - database_now() - life) < timedelta(minutes=1)


def test_an_hour_in_manila_is_that_hour_in_manila(alice, bob, given):
    hour = soon(hours=20)
    gift = send(given, deliver_at=hour, time_zone="Asia/Manila")
    assert (gift.state, gift.deliver_at, gift.next_attempt_at) == ("scheduled", hour, hour)
    with pytest.raises(gift_errors.NotYet) as refused:
        open_(gift, bob)
    assert refused.value.facts["deliver_at"] == hour
    assert gift_clock.drain_gifts() == 0
    travel(hours=20, seconds=1)
    assert gift_clock.drain_gifts() == 1
    gift.refresh_from_db()
    assert (gift.state, gift.next_attempt_at) == ("delivered", hour + timedelta(days=7))
    assert told(alice) == ["gift_delivered"]
    assert open_(gift, bob).state == "opened"


def test_the_hour_strikes_without_the_worker(bob, given):
    gift = send(given, deliver_at=soon(hours=1))
    travel(hours=2)
    assert gift.state_at(database_now()) == "delivered"
    assert open_(gift, bob).state == "opened"
    assert gift_clock.drain_gifts() == 0


@pytest.mark.parametrize(
    ("left", "on_the_way", "added"),
    [
        ("moments do not move the end", {"minutes": 5}, {}),
        ("a day begun is given in full", {"hours": 26}, {"days": 2}),
        ("a whole day is a day", {"hours": 24, "minutes": 1}, {"days": 1}),
    ],
)
def test_the_end_moves_by_whole_days(bob, given, left, on_the_way, added):
    end = given.valid_until
    gift = send(given)
    travel(**on_the_way)
    assert accept(open_(gift, bob), bob).valid_until == end + timedelta(**added), left


def test_a_life_shorter_than_a_day_goes_on_to_the_second(bob, given):
    Claim.objects.filter(pk=given.pk).update(valid_until=soon(minutes=30))
    given.refresh_from_db()
    gift = send(given)
    travel(minutes=55)
    received = accept(open_(gift, bob), bob)
    life = given.valid_until - gift.frozen_at
    assert received.valid_until - received.granted_at == life


def test_a_week_is_over_without_the_worker(bob, given):
    gift = send(given)
    travel(days=7, seconds=1)
    with pytest.raises(gift_errors.GiftOver) as refused:
        open_(gift, bob)
    assert refused.value.facts["state"] == "returned"
    with pytest.raises(gift_errors.GiftOver):
        gifts.recall_gift(gift=gift, now=database_now())


def test_opened_and_left_lying_it_goes_back_and_both_are_told(alice, bob, given):
    gift = open_(send(given), bob)
    travel(days=8)
    with pytest.raises(gift_errors.GiftOver):
        accept(gift, bob)
    gift_clock.drain_gifts()
    assert as_is(given)[:3] == ("granted", True, None)
    assert (told(alice), told(bob)) == (["gift_opened", "gift_returned"], ["gift_missed"])


def test_only_the_first_opener_has_it(bob, given):
    gift = send(given)
    token = gift_moves.read_token(gift)
    open_(gift, bob)
    dora = make_member()
    bind(dora)
    with pytest.raises(gift_errors.OpenedByAnother):
        gift_opening.open_gift(token=token, member=dora, now=database_now())
    again = gift_opening.open_gift(token=token, member=bob, now=database_now())
    assert again.receiver_id == bob.pk
    with pytest.raises(NotFound):
        accept(gift, dora)
    with pytest.raises(gift_errors.AlreadyOpened):
        gifts.recall_gift(gift=gift, now=database_now())


def test_a_new_link_kills_the_old_one(bob, given):
    gift = send(given)
    old = gift_moves.read_token(gift)
    renewed = gifts.renew_link(gift=gift, now=database_now())
    with pytest.raises(NotFound):
        gift_opening.open_gift(token=old, member=bob, now=database_now())
    assert open_(renewed, bob).receiver_id == bob.pk


def test_the_token_is_nowhere_in_the_database(given):
    gift = send(given)
    token = gift_moves.read_token(gift)
    assert len(token) == 32  # 192 bits
    with connection.cursor() as cursor:
        cursor.execute("SELECT g::text FROM benefits_gift g")
        (row,) = cursor.fetchone()
    assert token not in row
    assert token.encode().hex() not in row


def test_declining_is_silent_and_gives_back(alice, bob, given):
    gift = open_(send(given), bob)
    travel(days=2)
    gift_opening.decline_gift(gift=gift, member=bob, now=database_now())
    assert as_is(given)[:3] == ("granted", True, None)
    assert told(alice) == ["gift_opened", "gift_returned"]


def test_a_repeated_press_sends_once(given):
    op_id = uuid7()
    assert send(given, op_id=op_id) == send(given, op_id=op_id)
    assert Gift.objects.count() == 1


def test_editing_until_it_is_opened(bob, given):
    gift = send(given, deliver_at=soon(days=2), time_zone="Asia/Manila")
    fields = {"theme": "mint", "words": "Later", "signed_by": "A", "receiver_name": "B"}
    hour = soon(days=3)
    edited = gifts.edit_gift(
        gift=gift, now=database_now(), deliver_at=hour, time_zone="Asia/Tokyo", **fields
    )
    assert (edited.deliver_at, edited.time_zone, edited.words) == (hour, "Asia/Tokyo", "Later")
    assert edited.returns_at == hour + timedelta(days=7)
    travel(days=4)
    open_(edited, bob)
    with pytest.raises(gift_errors.AlreadyOpened):
        gifts.edit_gift(gift=gift, now=database_now(), **fields)


def test_a_thank_you_goes_back_once(alice, bob, given):
    gift = open_(send(given), bob)
    with pytest.raises(NotFound):
        gift_opening.thank_giver(gift=gift, member=bob, words="!", now=database_now())
    accept(gift, bob)
    gift_opening.thank_giver(gift=gift, member=bob, words="Lovely", now=database_now())
    with pytest.raises(gift_errors.AlreadyThanked):
        gift_opening.thank_giver(gift=gift, member=bob, words="Again", now=database_now())
    notice = Notice.objects.get(member=alice, kind="gift_thanked")
    assert notice.facts["thanks"] == "Lovely"


def test_an_operator_takes_away_what_is_on_its_way(alice):
    give_credits(alice, 40)
    made = claim(alice, make_release(make_benefit(price_credits=40), codes=1))
    gift = send(made)
    endings.revoke_claim(
        claim=made, reason="fraud", actor="operator:x", now=database_now(), gives_credits_back=True
    )
    gift.refresh_from_db()
    assert (gift.state, as_is(made)[:3]) == ("stopped", ("revoked", True, None))
