import pytest

from credits import errors, ledger
from credits.queries import get_balance
from tests.credits.conftest import rows
from zone.core.ids import uuid7


def test_each_earn_is_answered_in_its_place(alice, bob, carol):
    ledger.freeze(member_id=carol.pk, reason="check", actor="operator:test")
    repeated = uuid7()

    answers = ledger.earn_batch(
        [
            ledger.Earn(member_id=bob.pk, op_id=uuid7(), amount=7),
            ledger.Earn(member_id=alice.pk, op_id=repeated, amount=5),
            ledger.Earn(member_id=10**12, op_id=uuid7(), amount=1),
            ledger.Earn(member_id=carol.pk, op_id=uuid7(), amount=1),
            ledger.Earn(member_id=alice.pk, op_id=repeated, amount=5),
            ledger.Earn(member_id=alice.pk, op_id=uuid7(), amount=6),
        ]
    )

    assert [answer.code for answer in answers] == [
        "ok", "ok", "not_found", "member_frozen", "replayed", "ok",
    ]  # fmt: skip
    assert [get_balance(m).available for m in (alice, bob, carol)] == [11, 7, 0]


def test_a_malformed_earn_stops_the_batch_before_anything_is_written(alice):
    with pytest.raises(errors.InvalidAmount):
        ledger.earn_batch(
            [
                ledger.Earn(member_id=alice.pk, op_id=uuid7(), amount=5),
                ledger.Earn(member_id=alice.pk, op_id=uuid7(), amount=-5),
            ]
        )
    assert rows("SELECT count(*) FROM ledger.entry") == [(0,)]


def test_an_empty_batch_is_no_work(db):
    assert ledger.earn_batch([]) == []
