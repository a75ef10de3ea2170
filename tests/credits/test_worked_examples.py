"""A member's story in prose, every figure exact. The books are verified after each step."""

from datetime import timedelta

from credits import ledger
from credits.kinds import Counter
from credits.queries import Balance, get_balance, list_entries
from tests.credits.conftest import broken, travel
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
