"""Refund gives back a spend, clawback takes back an earn, adjust corrects by hand."""

from datetime import date, timedelta

import pytest

from credits import errors, ledger
from credits.kinds import Kind
from credits.queries import get_balance, list_entries
from tests.credits.conftest import rows, standing, travel
from zone.core.ids import uuid7

MARCH, MAY = date(2027, 3, 31), date(2027, 5, 31)


@pytest.fixture
def spent(alice):
    """Alice spent 15 of 10 until March and 20 until May."""
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=MARCH)
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=20, until=MAY)
    op = uuid7()
    ledger.spend(member_id=alice.pk, op_id=op, amount=15, related="clm_A")
    return op


def refund(member, orig, amount):
    return ledger.refund(member_id=member.pk, op_id=uuid7(), orig_op=orig, amount=amount)


def test_refunds_go_back_where_they_came_from_the_longest_lived_first(alice, spent):
    refund(alice, spent, 3)
    refund(alice, spent, 4)
    assert [line.alloc for line in list_entries(alice)[:2]] == [[652, 2, 656, 2], [656, 3]]
    refund(alice, spent, 8)
    assert rows("SELECT bucket_keys, bucket_left FROM ledger.account") == [([652, 656], [10, 20])]


def test_refunds_never_exceed_the_spend(alice, spent):
    refund(alice, spent, 10)
    before = standing(alice.pk)
    with pytest.raises(errors.AmountExceedsOriginal):
        refund(alice, spent, 6)
    assert standing(alice.pk) == before


def test_a_refund_into_a_lapsed_bucket_expires_at_once(alice, spent):
    with travel(timedelta(days=140)):
        result = refund(alice, spent, 15)
        assert result.available == 20
        assert [(line.kind, line.amount) for line in list_entries(alice)[:2]] == [
            (Kind.EXPIRE, -10),
            (Kind.REFUND, 15),
        ]


def test_a_capture_of_a_part_is_refunded_from_what_it_took(alice):
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=MARCH)
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=20, until=MAY)
    hold_op, op = uuid7(), uuid7()
    ledger.hold(member_id=alice.pk, op_id=hold_op, amount=15)
    ledger.capture(member_id=alice.pk, hold_op=hold_op, op_id=op, amount=12)
    before = standing(alice.pk)
    with pytest.raises(errors.AmountExceedsOriginal):
        refund(alice, op, 13)
    assert standing(alice.pk) == before

    refund(alice, op, 12)

    assert rows("SELECT bucket_keys, bucket_left FROM ledger.account") == [([652, 656], [10, 20])]


def test_only_a_spend_or_a_capture_is_refunded(alice, bob, spent):
    earned = rows("SELECT op_id FROM ledger.entry WHERE seq = 1")[0][0]
    before = standing(alice.pk)
    for member, orig in ((alice, earned), (alice, uuid7()), (bob, spent)):
        with pytest.raises(errors.OriginalNotFound):
            refund(member, orig, 1)
    assert standing(alice.pk) == before


def test_a_repeated_refund_counts_once(alice, spent):
    op = uuid7()
    for _ in range(2):
        result = ledger.refund(member_id=alice.pk, op_id=op, orig_op=spent, amount=5)
    assert (result.code, get_balance(alice).available) == ("replayed", 20)


def test_a_clawback_starts_with_the_credits_it_undoes(alice):
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=MARCH)
    earned = uuid7()
    ledger.earn(member_id=alice.pk, op_id=earned, amount=20, until=MAY)

    ledger.clawback(member_id=alice.pk, op_id=uuid7(), orig_op=earned, amount=15)

    assert rows("SELECT bucket_keys, bucket_left FROM ledger.account") == [([652, 656], [10, 5])]


def test_a_clawback_takes_the_rest_from_elsewhere_and_then_makes_debt(alice):
    earned = uuid7()
    ledger.earn(member_id=alice.pk, op_id=earned, amount=20, until=MARCH)
    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=15)
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=4, until=MAY)

    result = ledger.clawback(member_id=alice.pk, op_id=uuid7(), orig_op=earned, amount=20)

    assert (result.amount, result.available, result.debt) == (20, 0, 11)
    assert list_entries(alice)[0].alloc == [652, 5, 656, 4]
    with pytest.raises(errors.InsufficientCredits):
        ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=1)


def test_clawbacks_never_exceed_the_earn(alice):
    earned = uuid7()
    ledger.earn(member_id=alice.pk, op_id=earned, amount=20)
    ledger.clawback(member_id=alice.pk, op_id=uuid7(), orig_op=earned, amount=12)
    before = standing(alice.pk)
    with pytest.raises(errors.AmountExceedsOriginal):
        ledger.clawback(member_id=alice.pk, op_id=uuid7(), orig_op=earned, amount=9)
    assert standing(alice.pk) == before


def test_an_earn_that_repaid_debt_can_be_taken_back_in_full(alice):
    first, second = uuid7(), uuid7()
    ledger.earn(member_id=alice.pk, op_id=first, amount=10)
    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=10)
    ledger.clawback(member_id=alice.pk, op_id=uuid7(), orig_op=first, amount=10)
    ledger.earn(member_id=alice.pk, op_id=second, amount=10)
    assert get_balance(alice).debt == 0
    ledger.clawback(member_id=alice.pk, op_id=uuid7(), orig_op=second, amount=10)
    assert (get_balance(alice).available, get_balance(alice).debt) == (0, 10)


def test_an_adjustment_goes_up_or_down_but_not_below_zero(alice):
    up = ledger.adjust(member_id=alice.pk, op_id=uuid7(), amount=30, until=MAY, reason="goodwill")
    down = ledger.adjust(member_id=alice.pk, op_id=uuid7(), amount=-10, reason="mistake")
    assert (up.amount, down.amount, down.available) == (30, -10, 20)
    before = standing(alice.pk)
    with pytest.raises(errors.InsufficientCredits):
        ledger.adjust(member_id=alice.pk, op_id=uuid7(), amount=-21)
    with pytest.raises(errors.InvalidAmount):
        ledger.adjust(member_id=alice.pk, op_id=uuid7(), amount=0)
    assert standing(alice.pk) == before


def test_an_adjustment_repeated_counts_once(alice):
    for amount in (30, -10):
        op = uuid7()
        ledger.adjust(member_id=alice.pk, op_id=op, amount=amount)
        assert ledger.adjust(member_id=alice.pk, op_id=op, amount=amount).is_replay
        with pytest.raises(errors.OperationConflict):
            ledger.adjust(member_id=alice.pk, op_id=op, amount=-amount)
    assert get_balance(alice).available == 20


def test_a_frozen_account_can_be_corrected(alice):
    ledger.freeze(member_id=alice.pk, reason="check", actor="operator:test")
    assert ledger.adjust(member_id=alice.pk, op_id=uuid7(), amount=5).available == 5
