"""A gift that friends pay for together: from the first part to the box, and every other end."""

import pytest

from benefits import errors, gift_errors
from benefits import group_errors as refusals
from benefits.models import (
    Benefit,
    Claim,
    Gift,
    GroupPart,
    Release,
    ReturnedSlot,
    WaitlistEntry,
)
from benefits.queries import get_card
from benefits.services import gift_clock, group_clock
from benefits.services.endings import reissue_claim, restore_claim, revoke_claim
from benefits.services.gift_opening import decline_gift
from benefits.services.gifts import recall_gift
from benefits.services.waitlist import leave_waitlist, tend_lines
from credits import ledger
from credits.queries import list_entries
from tests.benefits.books import travel
from tests.benefits.factories import claim, soon
from tests.benefits.gifting import accept, open_, send, told
from tests.benefits.grouping import (
    PRICE,
    call_off,
    make_friend,
    make_priced_release,
    parts_of,
    put_in,
    standing,
    start,
    take_back,
    wallet_of,
)
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Member
from zone.members.services.erasures import request_erasure

pytestmark = pytest.mark.usefixtures("sound_books")


@pytest.fixture
def friends(db):
    return [make_friend() for _ in range(3)]


@pytest.fixture
def release(db):
    return make_priced_release()


def complete(friends, release, **fields):
    ann, ben, dora = friends
    group = start(ann, release, **fields)
    put_in(group, ben, 15)
    put_in(group, dora, 5)
    group.refresh_from_db()
    return group


def test_the_last_part_makes_one_gift_of_everybodys_credits(friends, release):
    ann = friends[0]
    group = complete(friends, release)
    assert standing(group) == ("complete", PRICE)
    assert [wallet_of(each) for each in friends] == [(90, 0), (85, 0), (95, 0)]
    made = Claim.objects.get()
    assert (made.member_id, made.price_credits, made.state) == (ann.pk, 0, "granted")
    assert made.frozen_at is not None  # Never its starter's to use.
    gift = Gift.objects.get()
    assert (gift.claim_id, gift.giver_id, gift.state) == (made.pk, ann.pk, "delivered")
    assert (gift.words, gift.signed_by, gift.receiver_name) == ("For you", "Ann", "Zoe")
    assert (group.claim_id, group.gift_id) == (made.pk, gift.pk)
    for friend, amount in zip(friends, (10, 15, 5), strict=True):
        capture, hold = list_entries(friend)[:2]
        assert (hold.kind.word, hold.amount, hold.related) == ("hold", -amount, group.public_id)
        assert (capture.kind.word, capture.related) == ("capture", group.public_id)
        assert "group_complete" in told(friend)
    assert (
        WaitlistEntry.objects.get().state, ReturnedSlot.objects.count()
    ) == ("claimed", 0)  # fmt: skip
    zoe = make_friend()
    received = accept(open_(gift, zoe), zoe)
    assert (received.member_id, received.slot, received.state) == (zoe.pk, made.slot, "granted")


def test_a_scheduled_one_waits_for_its_hour_and_a_past_hour_goes_at_once(friends, release):
    later = soon(days=2)
    complete(friends, release, deliver_at=later)
    assert Gift.objects.get().state == "scheduled"
    assert Gift.objects.get().deliver_at == later
    second = start(friends[0], make_priced_release(), deliver_at=soon(days=1))
    travel(days=2)
    put_in(second, friends[1], 20)
    assert Gift.objects.order_by("-id")[0].state == "delivered"


def test_the_same_press_twice_is_one_part(friends, release):
    ann, ben, _ = friends
    op = uuid7()
    group = start(ann, release, op_id=op)
    assert start(ann, release, op_id=op).pk == group.pk
    press = uuid7()
    first = put_in(group, ben, 5, op_id=press)
    assert put_in(group, ben, 5, op_id=press).pk == first.pk
    with pytest.raises(errors.OperationReused):
        put_in(group, ben, 6, op_id=press)
    assert (standing(group), wallet_of(ben)) == (("collecting", 15), (95, 5))
    last = uuid7()
    put_in(group, ben, 15, op_id=last)
    again = put_in(group, ben, 15, op_id=last)  # The answer was lost; the page asks again.
    assert (again.state, again.group.state) == ("taken", "complete")
    assert (Claim.objects.count(), wallet_of(ben)) == (1, (80, 0))


def test_more_than_is_missing_is_refused_with_what_is_missing(friends, release):
    ann, ben, _ = friends
    group = start(ann, release)
    with pytest.raises(refusals.TooMuch) as refused:
        put_in(group, ben, 21)
    assert str(refused.value) == ("Only 20 credits are missing now. Nothing was taken from you.")
    assert (standing(group), wallet_of(ben)) == (("collecting", 10), (100, 0))


def test_a_part_is_taken_back_and_put_in_again(friends, release):
    ann, ben, _ = friends
    group = start(ann, release)
    put_in(group, ben, 5)
    put_in(group, ben, 7)
    assert take_back(group, ben) == 12
    assert take_back(group, ben) == 0
    assert (standing(group), wallet_of(ben)) == (("collecting", 10), (100, 0))
    put_in(group, ben, 20)
    with pytest.raises(refusals.PartTaken):
        take_back(group, ben)
    with pytest.raises(refusals.PartTaken):
        call_off(group)
    assert wallet_of(ben) == (80, 0)


def test_called_off_gives_everything_back_once(friends, release):
    ann, ben, _ = friends
    group = start(ann, release)
    put_in(group, ben, 5)
    for _ in range(2):
        assert call_off(group).state == "called_off"
    assert [wallet_of(each) for each in friends] == [(100, 0)] * 3
    assert parts_of(group) == [(10, "released", 0), (5, "released", 0)]
    assert told(ben).count("group_called_off") == told(ann).count("group_called_off") == 1
    with pytest.raises(refusals.GroupOver):
        put_in(group, ben, 5)
    assert ReturnedSlot.objects.get().offered_to_id is None


def test_at_its_end_the_sweep_gives_everything_back(friends, release):
    ann, ben, _ = friends
    group = start(ann, release, days=3)
    put_in(group, ben, 5)
    assert group_clock.drain_groups() == 0
    travel(days=3, seconds=1)
    with pytest.raises(refusals.GroupOver):  # It is over without the worker too.
        put_in(group, ben, 15)
    tend_lines()
    assert (group_clock.drain_groups(), group_clock.drain_groups()) == (1, 0)
    assert standing(group) == ("ended", 0)
    assert [wallet_of(each) for each in friends[:2]] == [(100, 0)] * 2
    assert "group_ended" in told(ben)


def test_the_end_is_never_past_the_benefits_own(friends):
    ann = friends[0]
    closes = soon(days=2)
    release = make_priced_release(claimable_until=closes)
    assert start(ann, release, days=30).ends_at == closes
    later = make_priced_release()
    Release.objects.filter(pk=later.pk).update(closes_at=closes)
    assert start(ann, later).ends_at == closes


def test_the_unit_is_held_and_cannot_sell_out_meanwhile(friends):
    ann, ben, dora = friends
    release = make_priced_release(codes=1)
    group = start(ann, release)
    with pytest.raises(errors.SoldOut):
        claim(dora, release)
    put_in(group, ben, 20)
    assert standing(group)[0] == "complete"


def test_a_last_part_in_the_instant_its_unit_lapses_takes_another(friends, release):
    group = start(friends[0], release)
    past = soon(seconds=-1)
    WaitlistEntry.objects.update(offered_until=past)
    ReturnedSlot.objects.update(offered_until=past)
    put_in(group, friends[1], 20)
    assert standing(group)[0] == "complete"
    assert WaitlistEntry.objects.get().state == "lapsed"
    assert ReturnedSlot.objects.filter(offered_to__isnull=False).count() == 0


def test_the_starter_cannot_claim_what_is_held_for_the_gift(friends):
    ann, ben, _ = friends
    release = make_priced_release(codes=2, per_member=2)
    group = start(ann, release)
    assert leave_waitlist(member=ann, release=release, now=database_now()) is False
    card = get_card(slug=release.benefit.slug, member=ann, available=90, now=database_now())
    assert (card.place, card.state) == (None, "claimable")
    own = claim(ann, release)
    held = ReturnedSlot.objects.get()
    assert (held.offered_to_id, held.slot == own.slot) == (ann.pk, False)
    with pytest.raises(errors.LimitReached):  # The gift is the second of two.
        claim(ann, release)
    put_in(group, ben, 20)
    assert Claim.objects.get(group_gift=group).slot == held.slot
    with pytest.raises(errors.LimitReached):
        claim(ann, release)


def test_a_card_promises_its_starter_no_more_than_the_limit(friends, release):
    ann, ben, _ = friends
    group = start(ann, release)

    def card_of(member):
        return get_card(slug=release.benefit.slug, member=member, available=90, now=database_now())

    card = card_of(ann)
    assert (card.state, card.place, card.left) == ("locked", None, 1)
    assert card.sentence == "You are collecting for this one with friends. You find it under Gifts."
    with pytest.raises(errors.LimitReached):
        claim(ann, release)
    assert card_of(ben).state == "claimable"
    call_off(group)
    assert card_of(ann).state == "claimable"


@pytest.mark.parametrize(
    ("label", "spoil", "code"),
    [
        ("paused", lambda b, r: Benefit.objects.filter(pk=b.pk).update(status="paused"), "paused"),
        (
            "another price",
            lambda b, r: Release.objects.filter(pk=r.pk).update(price_credits=PRICE + 1),
            "price_changed",
        ),
        (
            "over",
            lambda b, r: Release.objects.filter(pk=r.pk).update(closes_at=soon(seconds=-1)),
            "ended",
        ),
    ],
)
def test_refused_at_the_last_part_nobody_pays(friends, release, label, spoil, code):
    ann, ben, dora = friends
    group = start(ann, release)
    put_in(group, ben, 5)
    spoil(release.benefit, release)
    with pytest.raises(refusals.GroupFell) as refused:
        put_in(group, dora, 15)
    assert refused.value.facts["code"] == code
    assert standing(group) == ("refused", 0)
    assert [wallet_of(each) for each in friends] == [(100, 0)] * 3
    assert (Claim.objects.count(), Gift.objects.count()) == (0, 0)
    assert "group_refused" in told(ben)
    assert GroupPart.objects.filter(member=dora).count() == 0
    Benefit.objects.filter(pk=release.benefit_id).update(status="live")


def test_a_starter_who_may_not_pay_lets_it_fall_through(friends, release):
    ann, _, dora = friends
    group = start(ann, release)
    request_erasure(member=ann, by="member", now=database_now())
    with pytest.raises(refusals.GroupFell):
        put_in(group, dora, 20)
    assert wallet_of(dora) == (100, 0)


def test_a_frozen_friend_puts_nothing_in(friends, release):
    ann, ben, _ = friends
    group = start(ann, release)
    Member.objects.filter(pk=ben.pk).update(frozen_at=database_now())
    ben.refresh_from_db()
    with pytest.raises(errors.MemberSuspended):
        put_in(group, ben, 20)
    assert standing(group) == ("collecting", 10)


def test_too_few_credits_leave_it_collecting(friends, release):
    ann = friends[0]
    poor = make_friend(credits=3)
    group = start(ann, release)
    for amount in (5, 20):  # A part, and the last one.
        with pytest.raises(errors.NotEnoughCredits):
            put_in(group, poor, amount)
    assert (standing(group), wallet_of(poor)) == (("collecting", 10), (3, 0))


def test_declined_each_gets_the_stated_share_and_the_claim_ends(friends, release):
    group = complete(friends, release)
    assert group.return_percent == 80
    zoe = make_friend()
    gift = open_(group.gift, zoe)
    for _ in range(2):
        decline_gift(gift=gift, member=zoe, now=database_now())
    assert standing(group) == ("returned", PRICE)
    assert parts_of(group) == [(10, "taken", 8), (15, "taken", 12), (5, "taken", 4)]
    assert [wallet_of(each) for each in friends] == [(98, 0), (97, 0), (99, 0)]
    made = Claim.objects.get()
    assert (made.state, made.holds_slot) == ("returned", False)
    assert ReturnedSlot.objects.count() == 1
    assert ("group_returned" in told(friends[0]), "gift_returned" in told(friends[0])) == (
        True, False,
    )  # fmt: skip


def test_unopened_for_a_week_it_comes_back_once(friends, release):
    group = complete(friends, release)
    travel(days=7, minutes=1)
    assert (gift_clock.drain_gifts(), gift_clock.drain_gifts()) == (1, 0)
    assert standing(group) == ("returned", PRICE)
    assert [wallet_of(each)[0] for each in friends] == [98, 97, 99]
    assert Claim.objects.get().state == "returned"


def test_the_starter_cannot_call_the_box_back(friends, release):
    group = complete(friends, release)
    with pytest.raises(gift_errors.PaidTogether):
        recall_gift(gift=group.gift, now=database_now())
    assert Claim.objects.get().frozen_at is not None


def test_who_paid_cannot_open_it(friends, release):
    group = complete(friends, release)
    with pytest.raises(gift_errors.PaidForByYou):
        open_(group.gift, friends[1])
    zoe = make_friend()
    received = accept(open_(group.gift, zoe), zoe)
    on = send(received)  # Given on, it still is what they paid for.
    with pytest.raises(gift_errors.PaidForByYou):
        open_(on, friends[2])


def test_taken_away_by_an_operator_it_is_paid_back_whole_to_each(friends, release):
    group = complete(friends, release)
    made = group.claim
    with pytest.raises(errors.ClaimInTransit):
        reissue_claim(claim=made, actor="operator:x", now=database_now())
    revoke_claim(
        claim=made, reason="issue_error", actor="operator:x", now=database_now(),
        gives_credits_back=True,
    )  # fmt: skip
    assert [wallet_of(each) for each in friends] == [(100, 0)] * 3
    assert (Claim.objects.get().state, standing(group)[0]) == ("revoked", "returned")
    with pytest.raises(errors.ClaimNotUsable):
        reissue_claim(claim=made, actor="operator:x", now=database_now())
    with pytest.raises(errors.RestoreRefused):
        restore_claim(claim=made, actor="operator:x", now=database_now())


def test_expiry_while_held_is_the_buckets_own(friends, release):
    """What comes back after its last day ends at once, and what is alive keeps its day."""
    ann, ben, _ = friends
    zone_day = database_now().date()
    ledger.earn(member_id=ben.pk, op_id=uuid7(), amount=7, until=zone_day)
    group = start(ann, release, days=30)
    put_in(group, ben, 10)
    before = next(line.alloc for line in list_entries(ben) if line.kind.word == "hold")
    call_off(group)
    released = next(line.alloc for line in list_entries(ben) if line.kind.word == "release")
    assert released == before
    assert wallet_of(ben) == (107, 0)
