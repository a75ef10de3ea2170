"""A member's story in prose, every figure exact. The books are verified after each step."""

from datetime import date, timedelta

import pytest

from credits import errors, ledger
from credits.kinds import Counter, Funding
from credits.queries import Balance, get_balance, list_entries
from tests.credits.conftest import broken, travel
from zone.core.clock import database_now
from zone.core.ids import uuid7


def told(balance: Balance) -> tuple[int, int, int]:
    """Available, held, debt; asked only while the books are sound."""
    assert broken() == []
    assert sum(bucket.amount for bucket in balance.expiring) == balance.available
    return balance.available, balance.held, balance.debt


def test_a_year_with_credits(alice):
    m = alice.pk

    # Alice is welcomed with 100 credits and pays Apple ¥68.
    ledger.earn(member_id=m, op_id=uuid7(), amount=100, counter=Counter.WELCOME)
    purchase = uuid7()
    ledger.earn(member_id=m, op_id=purchase, amount=68, related="txn_1")
    assert told(get_balance(alice)) == (168, 0, 0)

    # She asks for an iCloud+ trial at 120 credits. The issuer needs a while: 120 are set aside.
    trial = uuid7()
    ledger.hold(member_id=m, op_id=trial, amount=120, related="clm_1")
    assert told(get_balance(alice)) == (48, 120, 0)

    # The issuer says no. Everything comes back.
    ledger.void(member_id=m, hold_op=trial, op_id=uuid7())
    assert told(get_balance(alice)) == (168, 0, 0)

    # The second try works, and the 120 are used.
    trial = uuid7()
    ledger.hold(member_id=m, op_id=trial, amount=120, related="clm_2")
    ledger.capture(member_id=m, hold_op=trial, op_id=uuid7())
    assert told(get_balance(alice)) == (48, 0, 0)

    # Apple refunds the purchase: its 68 credits go, 48 at once and 20 as debt.
    ledger.clawback(member_id=m, op_id=uuid7(), orig_op=purchase, amount=68, related="txn_2")
    assert told(get_balance(alice)) == (0, 0, 20)

    # The next purchase of ¥30 repays it; 10 are left.
    ledger.earn(member_id=m, op_id=uuid7(), amount=30, related="txn_3")
    assert told(get_balance(alice)) == (10, 0, 0)

    # Support makes up for the trouble with 40 credits; 25 of them buy a coupon, which is returned.
    ledger.adjust(member_id=m, op_id=uuid7(), amount=40, reason="goodwill")
    coupon = uuid7()
    ledger.spend(member_id=m, op_id=coupon, amount=25, related="clm_3")
    assert told(get_balance(alice)) == (25, 0, 0)
    ledger.refund(member_id=m, op_id=uuid7(), orig_op=coupon, amount=25)
    assert told(get_balance(alice)) == (50, 0, 0)

    # Fourteen months later she has not come back. Everything has ended, and the sweep says so.
    with travel(timedelta(days=425)):
        assert told(get_balance(alice)) == (0, 0, 0)
        assert ledger.expire_batch() == 1
        assert told(get_balance(alice)) == (0, 0, 0)

    # The statement adds up, line by line.
    lines = list_entries(alice)
    assert [line.available_change for line in reversed(lines)] == [
        100, 68, -120, 120, -120, 0, -48, 10, 40, -25, 25, -50,
    ]  # fmt: skip
    running = 0
    for line in reversed(lines):
        running += line.available_change
        assert line.available_after == running


def test_a_partner_sells_in_parts(bob):
    """A shop sets credits aside, takes some, gives some back late; a month ends in between."""
    m = bob.pk

    # Bob has 30 credits that end with March and 50 that end with May, the latter paid for.
    ledger.earn(member_id=m, op_id=uuid7(), amount=30, until=date(2027, 3, 31))
    ledger.earn(
        member_id=m, op_id=uuid7(), amount=50, until=date(2027, 5, 31), funding=Funding.PAID
    )
    assert told(get_balance(bob)) == (80, 0, 0)

    # The shop holds 45 for a basket: all of March and 15 of May.
    basket = uuid7()
    ledger.hold(member_id=m, op_id=basket, amount=45, counter=Counter.SHOPS, related="ord_1")
    assert told(get_balance(bob)) == (35, 45, 0)

    # One thing is out of stock. It takes 36; the 9 that end last return in the same entry.
    sold = uuid7()
    ledger.capture(member_id=m, hold_op=basket, op_id=sold, amount=36)
    assert told(get_balance(bob)) == (44, 0, 0)

    # Bob returns a part worth 4: to May, which ends last.
    ledger.refund(member_id=m, op_id=uuid7(), orig_op=sold, amount=4, related="ord_1")
    assert told(get_balance(bob)) == (48, 0, 0)

    with travel(timedelta(days=140)):
        # In April he returns the rest, 32: 2 to May, and 30 to March, which is over.
        ledger.refund(member_id=m, op_id=uuid7(), orig_op=sold, amount=32, related="ord_1")
        assert told(get_balance(bob)) == (50, 0, 0)

        # Support looks into it. What was promised goes on, new things wait.
        ledger.freeze(member_id=m, reason="returns", actor="operator:test")
        with pytest.raises(errors.MemberFrozen):
            ledger.spend(member_id=m, op_id=uuid7(), amount=1)
        assert told(get_balance(bob)) == (50, 0, 0)

        # All is well. A hold that nobody resolves comes back by itself after its hour.
        ledger.thaw(member_id=m, reason="cleared", actor="operator:test")
        ledger.hold(
            member_id=m, op_id=uuid7(), amount=20, expires_at=database_now() + timedelta(hours=1)
        )
        assert told(get_balance(bob)) == (30, 20, 0)
    with travel(timedelta(days=140, hours=2)):
        assert ledger.lapse_holds() == 1
        assert told(get_balance(bob)) == (50, 0, 0)

        # Three purchases arrive in one file, one of them twice.
        again = uuid7()
        answers = ledger.earn_batch(
            [
                ledger.Earn(member_id=m, op_id=op, amount=amount, related=f"txn_{amount}")
                for op, amount in ((uuid7(), 6), (again, 12), (again, 12), (uuid7(), 8))
            ]
        )
        assert [answer.code for answer in answers] == ["ok", "ok", "replayed", "ok"]
        assert told(get_balance(bob)) == (76, 0, 0)

    assert [(line.kind.word, line.amount) for line in reversed(list_entries(bob))] == [
        ("earn", 30), ("earn", 50), ("hold", -45), ("capture", -36), ("refund", 4), ("refund", 32),
        ("expire", -30), ("hold", -20), ("release", 20), ("earn", 6), ("earn", 12), ("earn", 8),
    ]  # fmt: skip
