from datetime import date, timedelta

import pytest

from credits import errors, ledger
from credits.kinds import Funding, Kind
from credits.queries import get_balance, list_entries
from tests.credits.conftest import rows, standing, travel
from zone.core.ids import uuid7

MARCH, MAY = date(2027, 3, 31), date(2027, 5, 31)


def give(member, amount, until, funding=Funding.PROMOTIONAL):
    ledger.earn(member_id=member.pk, op_id=uuid7(), amount=amount, until=until, funding=funding)


def test_credits_that_end_soonest_go_first_then_promotional_then_paid(alice):
    give(alice, 10, MAY, Funding.PAID)
    give(alice, 10, MAY, Funding.PROMOTIONAL)
    give(alice, 10, MARCH, Funding.PAID)

    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=25, reason="benefit")

    # Keys: March 2027 paid is 653, May promotional 656, May paid 657.
    assert list_entries(alice)[0].alloc == [653, 10, 656, 10, 657, 5]
    assert rows("SELECT bucket_keys, bucket_left FROM ledger.account") == [([657], [5])]


def test_to_the_last_credit_and_not_one_further(alice):
    give(alice, 10, MARCH)
    give(alice, 5, MAY)
    before = standing(alice.pk)

    with pytest.raises(errors.InsufficientCredits) as refusal:
        ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=16)

    assert (refusal.value.available, refusal.value.gap) == (15, 1)
    assert str(refusal.value) == "You need 1 more credits."
    assert standing(alice.pk) == before
    assert ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=15).available == 0


def test_a_member_without_an_account_has_nothing_to_spend(carol):
    with pytest.raises(errors.InsufficientCredits) as refusal:
        ledger.spend(member_id=carol.pk, op_id=uuid7(), amount=3)
    assert (refusal.value.available, refusal.value.gap) == (0, 3)
    assert rows("SELECT count(*) FROM ledger.account") == [(0,)]


def test_a_repeat_after_the_last_credit_is_a_repeat_and_not_a_refusal(alice):
    give(alice, 10, MAY)
    op = uuid7()
    ledger.spend(member_id=alice.pk, op_id=op, amount=10, related="clm_A")
    before = standing(alice.pk)

    again = ledger.spend(member_id=alice.pk, op_id=op, amount=10, related="clm_A")

    assert (again.code, again.amount, again.available) == ("replayed", 10, 0)
    assert standing(alice.pk) == before


def test_lapsed_credits_cannot_be_spent_whether_settled_or_not(alice):
    give(alice, 10, MARCH)
    give(alice, 5, MAY)
    with travel(timedelta(days=140)):  # April 2027
        before = standing(alice.pk)
        with pytest.raises(errors.InsufficientCredits) as refusal:
            ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=6)
        assert (refusal.value.available, refusal.value.gap) == (5, 1)
        assert standing(alice.pk) == before

        result = ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=4)

        assert result.available == 1
        lines = [(line.kind, line.amount) for line in list_entries(alice)[:2]]
        assert lines == [(Kind.SPEND, -4), (Kind.EXPIRE, -10)]


def test_a_bucket_lives_through_the_last_day_of_its_month_in_the_members_market(alice):
    give(alice, 10, MARCH)
    to_midnight = rows(
        "SELECT timestamp '2027-04-01 00:00' AT TIME ZONE 'Asia/Shanghai' - zone_now()"
    )[0][0]
    with travel(to_midnight - timedelta(seconds=30)):
        assert get_balance(alice).available == 10
        ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=1)
    with travel(to_midnight + timedelta(seconds=30)):
        assert get_balance(alice).available == 0
        with pytest.raises(errors.InsufficientCredits):
            ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=1)


def test_a_clock_that_steps_back_does_not_bring_lapsed_credits_to_life(alice, bob):
    give(alice, 10, MARCH)
    with travel(timedelta(days=140)):
        give(bob, 1, MAY)  # Somebody of the same market acts on that day.
    assert get_balance(alice).available == 0
    with pytest.raises(errors.InsufficientCredits):
        ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=1)


def test_a_frozen_member_neither_spends_nor_holds_nor_earns(alice):
    give(alice, 10, MAY)
    ledger.freeze(member_id=alice.pk, reason="check", actor="operator:test")
    before = standing(alice.pk)
    for verb in (ledger.spend, ledger.hold, ledger.earn):
        with pytest.raises(errors.MemberFrozen):
            verb(member_id=alice.pk, op_id=uuid7(), amount=1)
    assert standing(alice.pk) == before
    ledger.thaw(member_id=alice.pk, reason="cleared", actor="operator:test")
    assert ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=1).available == 9


def test_a_closed_account_takes_part_in_nothing(alice):
    give(alice, 10, MAY)
    with pytest.raises(errors.AccountNotEmpty):
        ledger.close(member_id=alice.pk, reason="left", actor="operator:test")
    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=10)
    assert ledger.close(member_id=alice.pk, reason="left", actor="operator:test")
    before = standing(alice.pk)
    for verb in (ledger.spend, ledger.hold, ledger.earn):
        with pytest.raises(errors.AccountClosed):
            verb(member_id=alice.pk, op_id=uuid7(), amount=1)
    with pytest.raises(errors.AccountClosed):
        ledger.thaw(member_id=alice.pk, reason="back", actor="operator:test")
    assert standing(alice.pk) == before
    assert rows("SELECT from_status, to_status, reason FROM ledger.status_event") == [
        (0, 2, "left")
    ]
