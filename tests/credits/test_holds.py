from datetime import date, timedelta

import pytest

from credits import errors, ledger
from credits.kinds import HoldState, Kind
from credits.queries import get_balance, list_entries
from tests.credits.conftest import rows, standing, travel
from zone.core.clock import database_now
from zone.core.ids import uuid7

MARCH, MAY = date(2027, 3, 31), date(2027, 5, 31)


@pytest.fixture
def held(alice):
    """Alice has 10 until March and 20 until May, and 15 of them set aside."""
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=MARCH)
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=20, until=MAY)
    op = uuid7()
    ledger.hold(member_id=alice.pk, op_id=op, amount=15, related="clm_A")
    return op


def test_a_hold_takes_credits_out_of_their_buckets(alice, held):
    balance = get_balance(alice)
    assert (balance.available, balance.held) == (15, 15)
    assert rows("SELECT amount, state, alloc, related FROM ledger.hold") == [
        (15, HoldState.HELD, [652, 10, 656, 5], "clm_A")
    ]


def test_a_capture_takes_it_for_good_once(alice, held):
    op = uuid7()
    result = ledger.capture(member_id=alice.pk, hold_op=held, op_id=op)
    assert (result.amount, result.available, result.held) == (15, 15, 0)
    before = standing(alice.pk)

    assert ledger.capture(member_id=alice.pk, hold_op=held, op_id=op).is_replay
    with pytest.raises(errors.HoldNotOpen):
        ledger.capture(member_id=alice.pk, hold_op=held, op_id=uuid7())
    with pytest.raises(errors.HoldNotOpen):
        ledger.void(member_id=alice.pk, hold_op=held, op_id=uuid7())
    assert standing(alice.pk) == before
    line = list_entries(alice)[0]
    assert (line.kind, line.amount, line.orig_op, line.related) == (
        Kind.CAPTURE, -15, held, "clm_A",
    )  # fmt: skip


def test_a_capture_of_a_part_returns_the_rest_in_the_same_entry(alice, held):
    result = ledger.capture(member_id=alice.pk, hold_op=held, op_id=uuid7(), amount=12)

    assert (result.amount, result.available, result.held) == (12, 18, 0)
    assert list_entries(alice)[0].alloc == [656, 3]  # What ended soonest was captured.
    assert rows("SELECT state, captured FROM ledger.hold") == [(HoldState.CAPTURED, 12)]


@pytest.mark.parametrize(
    ("amount", "error"), [(16, errors.AmountExceedsHold), (0, errors.InvalidAmount)]
)
def test_a_capture_stays_within_its_hold(alice, held, amount, error):
    before = standing(alice.pk)
    with pytest.raises(error):
        ledger.capture(member_id=alice.pk, hold_op=held, op_id=uuid7(), amount=amount)
    assert standing(alice.pk) == before


def test_a_void_puts_every_credit_back_where_it_was(alice, held):
    op = uuid7()
    result = ledger.void(member_id=alice.pk, hold_op=held, op_id=op)

    assert (result.amount, result.available, result.held) == (15, 30, 0)
    assert rows("SELECT bucket_keys, bucket_left FROM ledger.account") == [([652, 656], [10, 20])]
    assert ledger.void(member_id=alice.pk, hold_op=held, op_id=op).is_replay
    with pytest.raises(errors.HoldNotOpen):
        ledger.capture(member_id=alice.pk, hold_op=held, op_id=uuid7())


def test_a_void_into_a_lapsed_bucket_releases_and_expires(alice, held):
    op = uuid7()
    with travel(timedelta(days=140)):  # April
        result = ledger.void(member_id=alice.pk, hold_op=held, op_id=op)

        assert (result.available, result.held) == (20, 0)
        lines = [(line.kind, line.amount, line.alloc) for line in list_entries(alice)[:2]]
        assert lines == [(Kind.EXPIRE, -10, [652, 10]), (Kind.RELEASE, 15, [652, 10, 656, 5])]
        again = ledger.void(member_id=alice.pk, hold_op=held, op_id=op)
        assert (again.code, again.available, again.seq) == ("replayed", 20, result.seq)


def test_credits_that_lapsed_while_held_can_still_be_captured(alice, held):
    with travel(timedelta(days=140)):
        result = ledger.capture(member_id=alice.pk, hold_op=held, op_id=uuid7())
        assert (result.amount, result.available, result.held) == (15, 15, 0)


def test_a_hold_of_somebody_else_is_not_found(alice, bob, held):
    before = standing(alice.pk)
    ledger.earn(member_id=bob.pk, op_id=uuid7(), amount=100)
    for verb in (ledger.capture, ledger.void):
        with pytest.raises(errors.HoldNotFound):
            verb(member_id=bob.pk, hold_op=held, op_id=uuid7())
    assert standing(alice.pk) == before


def test_a_partners_hold_returns_by_itself_and_cannot_be_captured_late(alice):
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=MAY)
    op = uuid7()
    ledger.hold(
        member_id=alice.pk, op_id=op, amount=4, expires_at=database_now() + timedelta(minutes=5)
    )
    assert ledger.lapse_holds() == 0
    with travel(timedelta(minutes=6)):
        before = standing(alice.pk)
        with pytest.raises(errors.HoldExpired):
            ledger.capture(member_id=alice.pk, hold_op=op, op_id=uuid7())
        assert standing(alice.pk) == before

        assert (ledger.lapse_holds(), ledger.lapse_holds()) == (1, 0)

        assert (get_balance(alice).available, get_balance(alice).held) == (10, 0)
        assert rows("SELECT state FROM ledger.hold") == [(HoldState.EXPIRED,)]
        with pytest.raises(errors.HoldExpired):
            ledger.capture(member_id=alice.pk, hold_op=op, op_id=uuid7())


def test_a_release_repays_debt_first(alice):
    earned = uuid7()
    ledger.earn(member_id=alice.pk, op_id=earned, amount=10, until=MAY)
    hold_op = uuid7()
    ledger.hold(member_id=alice.pk, op_id=hold_op, amount=6)
    ledger.clawback(member_id=alice.pk, op_id=uuid7(), orig_op=earned, amount=10)
    assert (get_balance(alice).available, get_balance(alice).debt) == (0, 6)

    result = ledger.void(member_id=alice.pk, hold_op=hold_op, op_id=uuid7())

    assert (result.available, result.held, result.debt) == (0, 0, 0)


def test_a_freeze_does_not_stop_what_was_promised_before(alice, held):
    ledger.freeze(member_id=alice.pk, reason="check", actor="operator:test")
    assert ledger.capture(member_id=alice.pk, hold_op=held, op_id=uuid7()).code == "ok"
