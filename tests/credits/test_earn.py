from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from credits import errors, ledger
from credits.kinds import Counter, Funding
from credits.queries import get_balance, list_entries
from tests.credits.conftest import rows, standing, travel
from zone.core.ids import uuid7


def test_earned_credits_end_with_the_month_a_year_from_now(alice):
    today = rows("SELECT (zone_now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0]
    month_after = date(today.year + 1 + today.month // 12, today.month % 12 + 1, 1)

    result = ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=68, reason="purchase")

    assert (result.code, result.amount, result.available, result.seq) == ("ok", 68, 68, 1)
    assert result.expires_on == month_after - timedelta(days=1)


def test_a_date_given_is_rounded_up_to_its_month_end_and_echoed(alice):
    result = ledger.earn(
        member_id=alice.pk,
        op_id=uuid7(),
        amount=5,
        until=date(2028, 2, 3),
        counter=Counter.PARTNERS,
    )
    assert result.expires_on == date(2028, 2, 29)
    assert [(e.amount, e.expires_on) for e in get_balance(alice).expiring] == [
        (5, date(2028, 2, 29))
    ]


def test_buckets_are_one_per_month_end_and_funding(alice):
    for until, funding in [
        (date(2027, 5, 9), Funding.PAID),
        (date(2027, 5, 31), Funding.PROMOTIONAL),
        (date(2027, 5, 1), Funding.PAID),
        (date(2027, 3, 1), Funding.PROMOTIONAL),
    ]:
        ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=until, funding=funding)

    assert rows("SELECT bucket_keys, bucket_left FROM ledger.account") == [
        ([652, 656, 657], [10, 10, 20])
    ]
    balance = get_balance(alice)
    assert [(e.amount, e.expires_on) for e in balance.expiring] == [
        (10, date(2027, 3, 31)),
        (30, date(2027, 5, 31)),
    ]
    assert sum(e.amount for e in balance.expiring) == balance.available == 40


def test_a_new_month_ending_is_remembered_once_for_the_sweep(alice):
    for _ in range(3):
        ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=date(2027, 5, 9))
    assert rows("SELECT month, member_id FROM ledger.lot_due") == [(328, alice.pk)]


def test_a_repeat_returns_the_first_result(alice):
    op = uuid7()
    first = ledger.earn(member_id=alice.pk, op_id=op, amount=68, related="txn_A")
    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=8)
    before = standing(alice.pk)

    again = ledger.earn(member_id=alice.pk, op_id=op, amount=68, related="txn_A")

    assert again.is_replay
    assert (again.available, again.seq, again.expires_on, again.posted_at) == (
        68, 1, first.expires_on, first.posted_at,
    )  # fmt: skip
    assert standing(alice.pk) == before


@pytest.mark.parametrize(
    ("label", "change"),
    [
        ("another amount", {"amount": 69}),
        ("another counter", {"counter": Counter.WELCOME}),
        ("another cause", {"related": "txn_B"}),
    ],
)
def test_the_same_operation_for_something_else_is_a_conflict(alice, label, change):
    op = uuid7()
    asked = {"amount": 68, "related": "txn_A", "counter": Counter.PURCHASES}
    ledger.earn(member_id=alice.pk, op_id=op, **asked)
    before = standing(alice.pk)

    with pytest.raises(errors.OperationConflict):
        ledger.earn(member_id=alice.pk, op_id=op, **(asked | change))

    assert standing(alice.pk) == before


def test_an_operation_of_another_kind_is_a_conflict(alice):
    op = uuid7()
    ledger.earn(member_id=alice.pk, op_id=op, amount=10)
    before = standing(alice.pk)
    with pytest.raises(errors.OperationConflict):
        ledger.spend(member_id=alice.pk, op_id=op, amount=10)
    assert standing(alice.pk) == before


def test_two_members_may_use_the_same_operation_id(alice, bob):
    op = uuid7()
    ledger.earn(member_id=alice.pk, op_id=op, amount=10)
    assert ledger.earn(member_id=bob.pk, op_id=op, amount=20).code == "ok"


@pytest.mark.parametrize("amount", [0, -1, 2**31, 2**40, 1.0, 1.5, True, "5", None])
@pytest.mark.parametrize("verb", [ledger.earn, ledger.spend, ledger.hold])
def test_an_amount_must_be_a_whole_number_above_zero(alice, verb, amount):
    before = standing(alice.pk)
    with pytest.raises(errors.InvalidAmount):
        verb(member_id=alice.pk, op_id=uuid7(), amount=amount)
    assert standing(alice.pk) == before


@pytest.mark.parametrize("member_id", [10**12, 0, -1, 2**63, True, "1", None])
@pytest.mark.parametrize("verb", [ledger.earn, ledger.spend, ledger.hold])
def test_an_unknown_member_is_named_so(db, verb, member_id):
    with pytest.raises(errors.UnknownMember):
        verb(member_id=member_id, op_id=uuid7(), amount=1)
    assert rows("SELECT count(*) FROM ledger.account") == [(0,)]


@pytest.mark.parametrize(
    ("label", "op"),
    [
        ("not a UUIDv7", uuid4()),
        ("not a UUID", "01J"),
        ("from tomorrow", uuid7(datetime.now(UTC) + timedelta(days=1))),
        ("from four years ago", uuid7(datetime.now(UTC) - timedelta(days=1461))),
    ],
)
def test_an_operation_id_must_be_usable(alice, label, op):
    with pytest.raises(errors.InvalidOperation):
        ledger.earn(member_id=alice.pk, op_id=op, amount=1)
    assert list_entries(alice) == []


def test_an_old_operation_gets_its_months_partition(alice):
    op = uuid7(datetime.now(UTC) - timedelta(days=1000))
    assert ledger.earn(member_id=alice.pk, op_id=op, amount=1).code == "ok"
    assert ledger.earn(member_id=alice.pk, op_id=op, amount=1).is_replay


@pytest.mark.parametrize("until", [date(2020, 1, 1), date(2199, 1, 1)])
def test_credits_last_from_this_month_to_five_years(alice, until):
    with pytest.raises(errors.InvalidUntil):
        ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=1, until=until)
    assert list_entries(alice) == []


def test_an_account_has_a_ceiling(alice):
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=ledger.AMOUNT_MAX - 1)
    before = standing(alice.pk)
    with pytest.raises(errors.BalanceTooLarge):
        ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=2)
    assert standing(alice.pk) == before


def test_a_record_of_the_past_follows_every_entry_there_is(alice):
    past = datetime.now(UTC) - timedelta(days=90)
    first = ledger.earn(member_id=alice.pk, op_id=uuid7(past), amount=10, posted_at=past)
    assert first.posted_at == past
    for out_of_order in (past - timedelta(days=1), datetime.now(UTC) + timedelta(hours=1)):
        with pytest.raises(errors.OutOfOrder):
            ledger.earn(
                member_id=alice.pk,
                op_id=uuid7(past - timedelta(days=1)),
                amount=10,
                posted_at=out_of_order,
            )
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=5)
    assert [line.amount for line in list_entries(alice)] == [5, 10]


def test_an_earn_settles_what_lapsed_in_an_entry_of_its_own(alice):
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=date(2027, 1, 1))
    with travel(timedelta(days=100)):
        assert get_balance(alice).available == 0
        result = ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=7)
        assert (result.available, result.seq) == (7, 3)
        lines = [
            (line.kind.word, line.amount, line.available_after) for line in list_entries(alice)
        ]
        assert lines == [("expire", -10, 7), ("earn", 7, 17), ("earn", 10, 10)]


def test_the_ids_of_python_and_sql_agree_on_time():
    op = uuid7(datetime(2026, 11, 20, 9, 41, 7, 310000, tzinfo=UTC))
    assert isinstance(op, UUID)
    assert op.hex.startswith("01a1f8")
