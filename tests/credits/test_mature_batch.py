"""Promises whose time has come are earned together, each as if it came alone."""

from datetime import timedelta

from credits import ledger
from credits.kinds import Counter
from credits.promises import Promise, mature_batch, promise_batch
from credits.queries import get_balance, list_entries
from tests.credits.conftest import rows, travel
from tests.factories import make_member
from zone.core.clock import database_now
from zone.core.ids import uuid7

WINDOW = timedelta(days=14)


def promise(member_id, amount, *, after=WINDOW):
    bought_at = database_now()
    made = Promise(
        member_id=member_id,
        op_id=uuid7(bought_at),
        amount=amount,
        matures_at=bought_at + after,
        counter=Counter.PURCHASES,
        reason="",
        related="txn_1",
        occurred_at=bought_at,
    )
    assert promise_batch([made]) == 1
    return made


def states():
    return dict(rows("SELECT op_id, state FROM ledger.pending_earn"))


def test_one_call_earns_what_every_member_was_promised(db):
    """Many at once, whatever their account is like, and what is not due waits."""
    plain = [make_member().pk for _ in range(10)]
    promised = [promise(member, 10 + n) for n, member in enumerate(plain)]
    busy, twice, frozen, closed, indebted = (make_member().pk for _ in range(5))
    promised += [promise(m, 5) for m in (busy, twice, twice, frozen, indebted)]
    left = promise(closed, 5)
    later = promise(plain[0], 99, after=WINDOW * 2)
    # Operations newer than the promise's: it earns all the same.
    ledger.earn(member_id=busy, op_id=uuid7(), amount=1)
    ledger.freeze(member_id=frozen, reason="check", actor="operator:test")
    ledger.close(member_id=closed, reason="left", actor="operator:test")
    owed = ledger.earn(member_id=indebted, op_id=uuid7(), amount=3).op_id
    ledger.spend(member_id=indebted, op_id=uuid7(), amount=3)
    ledger.clawback(member_id=indebted, op_id=uuid7(), orig_op=owed, amount=3)

    with travel(WINDOW):
        settled = mature_batch(100)
        assert mature_batch(100) == []

        assert sorted(settled) == sorted([*(each.member_id for each in promised), closed])
        assert [get_balance(m).available for m in plain] == [10 + n for n in range(10)]
        assert [get_balance(m).available for m in (busy, twice, frozen, closed, indebted)] == [
            6, 10, 5, 0, 2,
        ]  # fmt: skip
        assert list_entries(busy)[0].op_id == promised[10].op_id
    assert states() == {each.op_id: 1 for each in promised} | {left.op_id: 2, later.op_id: 0}


def test_what_was_taken_back_while_it_waited_is_not_earned(alice):
    made = promise(alice.pk, 50)
    assert rows("SELECT ledger.cancel_pending(%s, %s, 20)", [alice.pk, made.op_id]) == [(20,)]
    with travel(WINDOW):
        assert mature_batch(10) == [alice.pk]
        assert get_balance(alice).available == 30


def test_a_promise_that_does_not_fit_waits_an_hour_and_stops_nobody(alice, bob):
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=ledger.AMOUNT_MAX)
    stuck, fine = promise(alice.pk, 1), promise(bob.pk, 7)
    with travel(WINDOW):
        assert mature_batch(10) == [bob.pk]
        assert mature_batch(10) == []
        assert states() == {stuck.op_id: 0, fine.op_id: 1}
        ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=1)
    with travel(WINDOW + timedelta(hours=2)):
        assert mature_batch(10) == [alice.pk]
    assert states() == {stuck.op_id: 1, fine.op_id: 1}
