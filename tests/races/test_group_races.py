"""Gifts with friends pulled at from several sides at one instant: one ending, and every credit in it.

Each race has a control: the same race with its guard taken away, which must be seen to fail.
"""

import time
from datetime import timedelta
from functools import partial

import pytest

from benefits.group_errors import GroupOver, PartTaken, TooMuch
from benefits.models import Claim, Gift, GroupGift, GroupPart, WaitlistEntry
from benefits.services import group_clock, group_gifts, group_parts
from credits.errors import HoldNotOpen
from tests.benefits.grouping import (
    PRICE,
    make_friend,
    make_priced_release,
    put_in,
    standing,
    start,
    take_back,
    wallet_of,
)
from tests.races.test_claim_races import books
from tests.threads import together
from zone.core.clock import database_now
from zone.core.ids import uuid7

ROUNDS = 8


@pytest.fixture
def stage(cloned_database):
    """Three friends, and a call that starts a fresh gift of the first with her ten in it."""
    ann, ben, dora = (make_friend(1000) for _ in range(3))
    release = make_priced_release(codes=3 * ROUNDS, per_member=3 * ROUNDS)

    def begin():
        for group in GroupGift.objects.filter(state="collecting"):
            group_gifts.call_off(group=group, actor="test", now=database_now())
        group = start(ann, release)
        # As if it had been started on an earlier day: the day's limit is not what is raced for.
        number = GroupGift.objects.count() + 1
        day = database_now().date() - timedelta(days=number)
        GroupGift.objects.filter(pk=group.pk).update(started_on=day)
        return group

    return ann, ben, dora, begin


def sound(database):
    code, report = books(database)
    assert code == 0, report


def ending(group):
    """The gift's time is over this moment, for everybody but those who looked before."""
    now = database_now()
    GroupGift.objects.filter(pk=group.pk).update(ends_at=now)
    return now


def conserved(friends):
    """What left the accounts is what the gifts that were made cost, and nothing is held beside."""
    spent = sum(1000 - sum(wallet_of(friend)) for friend in friends)
    made = GroupGift.objects.filter(state="complete").count()
    held = sum(wallet_of(friend)[1] for friend in friends)
    collecting = GroupGift.objects.filter(state="collecting")
    assert spent == PRICE * made == PRICE * Claim.objects.count() == PRICE * Gift.objects.count()
    assert held == sum(collecting.values_list("collected", flat=True))


def test_the_last_gap_filled_by_two(cloned_database, stage):
    *friends, begin = stage
    _ann, ben, dora = friends
    for _round in range(ROUNDS):
        group = begin()
        answers = together(
            [lambda g=group: put_in(g, ben, 20), lambda g=group: put_in(g, dora, 20)]
        )
        assert {type(answer) for answer in answers} == {GroupPart, GroupOver}, answers
        assert standing(group) == ("complete", PRICE)
        group = begin()
        answers = together(
            [lambda g=group: put_in(g, ben, 15), lambda g=group: put_in(g, dora, 15)]
        )
        told = [answer for answer in answers if isinstance(answer, TooMuch)]
        assert [answer.facts["missing"] for answer in told] == [5]
        assert standing(group) == ("collecting", 25)
    conserved(friends)
    sound(cloned_database)


def test_taken_back_or_complete(cloned_database, stage):
    *friends, begin = stage
    _ann, ben, dora = friends
    for _round in range(ROUNDS):
        group = begin()
        put_in(group, ben, 10)
        back, part = together(
            [lambda g=group: take_back(g, ben), lambda g=group: put_in(g, dora, 10)]
        )
        outcome = (type(back), type(part), *standing(group))
        assert outcome in {
            (int, GroupPart, "collecting", 20),
            (PartTaken, GroupPart, "complete", PRICE),
        }, outcome
    conserved(friends)
    sound(cloned_database)


def test_called_off_or_complete(cloned_database, stage):
    *friends, begin = stage
    ben = friends[1]
    for _round in range(ROUNDS):
        group = begin()
        off, part = together([off_of(group), lambda g=group: put_in(g, ben, 20)])
        outcome = (type(off), type(part), standing(group)[0])
        assert outcome in {
            (GroupGift, GroupOver, "called_off"),
            (PartTaken, GroupPart, "complete"),
        }, outcome
    conserved(friends)
    sound(cloned_database)


def test_swept_at_its_end_or_complete(cloned_database, stage):
    *friends, begin = stage
    ben = friends[1]
    for _round in range(ROUNDS):
        group = begin()
        early = database_now()  # The friend pressed just before it was over.
        ending(group)
        together(
            [
                lambda g=group, now=early - timedelta(seconds=1): group_parts.put_in(
                    group=g, member=ben, amount=20, op_id=uuid7(), now=now
                ),
                group_clock.drain_groups,
                group_clock.drain_groups,
            ]
        )
        assert standing(group)[0] in {"complete", "ended"}
    conserved(friends)
    assert not WaitlistEntry.objects.filter(state="offered").exists()
    sound(cloned_database)


def test_one_press_ten_times_is_one_part(cloned_database, stage):
    *friends, begin = stage
    ben = friends[1]
    for amount, state in ((5, "collecting"), (20, "complete")):
        group, press = begin(), uuid7()
        press_it = partial(put_in, group, ben, amount, op_id=press)
        answers = together([press_it] * 10)
        assert {type(answer) for answer in answers} == {GroupPart}, answers
        assert len({answer.pk for answer in answers}) == 1
        assert standing(group)[0] == state
    conserved(friends)
    sound(cloned_database)


def test_two_gifts_of_the_same_friends_become_complete_at_once(cloned_database, stage):
    """Their last parts come from opposite ends of the same accounts: nobody waits for ever."""
    ann, ben, dora, _begin = stage
    for _round in range(2):  # Each starts one a round: five are a day's.
        release = make_priced_release(codes=2)
        one, two = start(ann, release), start(dora, release)
        put_in(one, ben, 5)
        put_in(two, ben, 5)
        answers = together([lambda g=one: put_in(g, dora, 15), lambda g=two: put_in(g, ann, 15)])
        assert {type(answer) for answer in answers} == {GroupPart}, answers
        assert {standing(one)[0], standing(two)[0]} == {"complete"}
    sound(cloned_database)


def off_of(group):
    return lambda: group_gifts.call_off(group=group, actor="test", now=database_now())


def unlocked(group):
    """`lock_group` without its lock: what a reader sees, and a rival may be changing."""
    read = GroupGift.objects.select_related("starter__wallet", "release__benefit")
    return read.get(pk=group.pk)


@pytest.fixture
def without_the_lock(monkeypatch):
    """Nothing is locked, and everybody looks for a while before they write."""
    for module in (group_gifts, group_parts):
        monkeypatch.setattr(module, "lock_group", unlocked)
    hold, release = group_parts.hold_credits, group_gifts.release_parts

    def slow_hold(*args, **kwargs):
        time.sleep(0.3)
        hold(*args, **kwargs)

    def slow_release(*args, **kwargs):
        time.sleep(0.15)
        return release(*args, **kwargs)

    monkeypatch.setattr(group_parts, "hold_credits", slow_hold)
    monkeypatch.setattr(group_gifts, "release_parts", slow_release)


@pytest.mark.usefixtures("without_the_lock")
def test_control_without_the_lock_two_fill_more_than_the_gap(cloned_database, stage):
    _ann, ben, dora, begin = stage
    group = begin()
    answers = together([lambda: put_in(group, ben, 15), lambda: put_in(group, dora, 15)])
    assert {type(answer) for answer in answers} == {GroupPart}
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I58" in report


@pytest.mark.usefixtures("without_the_lock")
def test_control_without_the_lock_a_part_is_taken_back_and_counted(cloned_database, stage):
    _ann, ben, dora, begin = stage
    group = begin()
    put_in(group, ben, 10)
    back, part = together([lambda: take_back(group, ben), lambda: put_in(group, dora, 5)])
    assert (back, type(part)) == (10, GroupPart)
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I58" in report


@pytest.mark.usefixtures("without_the_lock")
@pytest.mark.parametrize(
    "over", [off_of, lambda group: (ending(group), group_clock.drain_groups)[1]]
)
def test_control_without_the_lock_a_part_is_held_by_what_is_over(cloned_database, stage, over):
    """Called off, or swept at its end, and a friend's credits stay set aside for it."""
    _ann, ben, _dora, begin = stage
    group = begin()
    early = database_now() - timedelta(seconds=1)
    closing = over(group)
    _closed, part = together(
        [
            closing,
            lambda: group_parts.put_in(group=group, member=ben, amount=5, op_id=uuid7(), now=early),
        ]
    )
    assert type(part) is GroupPart
    assert wallet_of(ben)[1] == 5
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I59" in report


@pytest.mark.usefixtures("without_the_lock")
def test_control_without_the_lock_a_last_part_meets_what_was_released(stage):
    """Behind the lock the ledger stands: a hold is resolved once, whoever comes first."""
    _ann, ben, dora, begin = stage
    group = begin()
    put_in(group, ben, 10)
    answers = together([lambda: take_back(group, ben), lambda: put_in(group, dora, 10)])
    assert any(isinstance(answer, HoldNotOpen) for answer in answers), answers


@pytest.mark.usefixtures("without_the_lock")
def test_control_without_lock_and_key_one_press_counts_twice(cloned_database, stage):
    _ann, ben, _dora, begin = stage
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("ALTER TABLE benefits_grouppart DROP CONSTRAINT benefits_grouppart_op_once")
    group, press = begin(), uuid7()
    answers = together([lambda: put_in(group, ben, 5, op_id=press)] * 4)
    assert len({answer.pk for answer in answers if isinstance(answer, GroupPart)}) > 1
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I58" in report
