"""Who may start and pay for a gift with friends, for what and how often: refusals change nothing."""

import pytest

from benefits import errors, gift_errors
from benefits import group_errors as refusals
from benefits.models import (
    Gift,
    GiftBlock,
    GroupGift,
    Release,
    ReturnedSlot,
)
from tests.benefits.factories import claim, soon
from tests.benefits.gifting import send
from tests.benefits.grouping import (
    PRICE,
    call_off,
    make_friend,
    make_priced_release,
    put_in,
    standing,
    start,
    wallet_of,
)
from tests.factories import make_operator
from zone.core.clock import database_now

pytestmark = pytest.mark.usefixtures("sound_books")


@pytest.fixture
def friends(db):
    return [make_friend() for _ in range(3)]


@pytest.fixture
def release(db):
    return make_priced_release()


@pytest.mark.parametrize(
    ("label", "fields"),
    [
        ("not to be given", {"is_giftable": False}),
        ("free", {"price": 0}),
        ("one credit", {"price": 1}),
    ],
)
def test_what_cannot_be_paid_together(friends, label, fields):
    release = make_priced_release(**fields)
    with pytest.raises(refusals.NotForGroups):
        start(friends[0], release, price=fields.get("price", PRICE))
    assert wallet_of(friends[0]) == (100, 0)


def test_a_rush_is_not_kept_for_days(friends, release):
    Release.objects.filter(pk=release.pk).update(is_hot=True)
    with pytest.raises(refusals.NotForGroups):
        start(friends[0], release)


def test_what_start_refuses_changes_nothing(friends, release):
    ann = friends[0]
    with pytest.raises(refusals.PayItAlone):
        start(ann, release, amount=PRICE)
    with pytest.raises(errors.PriceChanged):
        start(ann, release, price=PRICE - 1)
    with pytest.raises(gift_errors.PastHour):
        start(ann, release, deliver_at=soon(seconds=-1))
    empty = make_friend(credits=1)
    with pytest.raises(errors.NotEnoughCredits):
        start(empty, release)
    claim(ann, release)
    with pytest.raises(errors.LimitReached):
        start(ann, release)
    assert (GroupGift.objects.count(), ReturnedSlot.objects.count()) == (0, 0)
    assert wallet_of(ann) == (70, 0)


def test_three_at_once_and_five_gifts_a_day(friends):
    ann = friends[0]
    for _ in range(3):
        start(ann, make_priced_release())
    with pytest.raises(refusals.TooManyGroups):
        start(ann, make_priced_release())
    for group in GroupGift.objects.all():
        call_off(group)
    start(ann, make_priced_release())
    last = start(ann, make_priced_release())
    with pytest.raises(gift_errors.DailyLimit):
        start(ann, make_priced_release())
    with pytest.raises(gift_errors.DailyLimit):
        send(claim(ann, make_priced_release()))
    put_in(last, friends[1], 20)  # Its number was kept for it.
    assert Gift.objects.get().nth == 5


def test_who_may_put_in(friends, release):
    ann, ben, _ = friends
    group = start(ann, release)
    with pytest.raises(refusals.GroupElsewhere):
        put_in(group, make_friend(wallet="GCASH"), 5)
    GiftBlock.objects.create(member=ben, giver=ann, created_at=database_now())
    with pytest.raises(gift_errors.GiverBlocked):
        put_in(group, ben, 5)
    assert standing(group) == ("collecting", 10)


def test_many_small_parts_leave_room_for_the_last(friends):
    ann, ben, dora = friends
    release = make_priced_release(price=60)
    group = start(ann, release, price=60, amount=1)
    for _ in range(48):
        put_in(group, ben, 1)
    with pytest.raises(refusals.TooManyParts):
        put_in(group, ben, 1)
    put_in(group, dora, 11)
    assert standing(group) == ("complete", 60)


def test_an_operator_calls_it_off_with_a_reason(friends, release):
    group = start(friends[0], release)
    call_off(group, actor="operator:kim", note="asked for by phone")
    group.refresh_from_db()
    assert (group.closed_by, group.note) == ("operator:kim", "asked for by phone")
    assert make_operator("support").has_perm("benefits.call_off_groupgift")
    assert not make_operator("viewer").has_perm("benefits.call_off_groupgift")
