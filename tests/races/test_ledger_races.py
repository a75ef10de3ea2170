"""Many threads on one member: nothing is spent twice, lost or stuck, and the control shows it."""

from collections import Counter
from datetime import date, timedelta
from functools import partial
from threading import Barrier

import pytest
from django.db import transaction

from credits import errors, ledger
from credits.queries import get_balance, list_entries
from tests.credits.conftest import broken, rows, travel
from tests.databases import Database
from tests.factories import make_member
from tests.threads import together
from zone.core.ids import uuid7

THREADS = 24
MARCH, MAY = date(2027, 3, 31), date(2027, 5, 31)


def outcomes(answers: list[object]) -> Counter[str]:
    return Counter(getattr(answer, "code", type(answer).__name__) for answer in answers)


@pytest.mark.parametrize("verb", [ledger.spend, ledger.hold])
def test_no_credit_is_spent_twice(cloned_database, verb):
    member = make_member().pk
    ledger.earn(member_id=member, op_id=uuid7(), amount=100)

    answers = together(
        [partial(verb, member_id=member, op_id=uuid7(), amount=10) for _ in range(THREADS)]
    )

    assert outcomes(answers) == {"ok": 10, "insufficient_credits": THREADS - 10}
    assert get_balance(member).available == 0
    assert broken() == []


def test_one_operation_from_many_threads_counts_once(cloned_database):
    member, op = make_member().pk, uuid7()
    ledger.earn(member_id=member, op_id=uuid7(), amount=100)

    answers = together(
        [partial(ledger.spend, member_id=member, op_id=op, amount=10) for _ in range(THREADS)]
    )

    assert outcomes(answers) == {"ok": 1, "replayed": THREADS - 1}
    assert len({(a.seq, a.available, a.posted_at) for a in answers}) == 1
    assert get_balance(member).available == 90
    assert broken() == []


def test_first_earns_of_a_new_member_share_one_account(cloned_database):
    member = make_member().pk

    answers = together(
        [partial(ledger.earn, member_id=member, op_id=uuid7(), amount=1) for _ in range(THREADS)]
    )

    assert outcomes(answers) == {"ok": THREADS}
    assert get_balance(member).available == THREADS
    assert broken() == []


def test_a_hold_is_resolved_by_one_of_many(cloned_database):
    member, hold_op = make_member().pk, uuid7()
    ledger.earn(member_id=member, op_id=uuid7(), amount=100)
    ledger.hold(member_id=member, op_id=hold_op, amount=40)

    answers = together(
        [
            partial(verb, member_id=member, hold_op=hold_op, op_id=uuid7())
            for verb in [ledger.capture, ledger.void] * (THREADS // 2)
        ]
    )

    assert outcomes(answers) == {"ok": 1, "invalid_state": THREADS - 1}
    assert get_balance(member).held == 0
    assert broken() == []


def test_refunds_in_parallel_stay_within_the_spend(cloned_database):
    member, spent = make_member().pk, uuid7()
    ledger.earn(member_id=member, op_id=uuid7(), amount=100)
    ledger.spend(member_id=member, op_id=spent, amount=50)

    answers = together(
        [
            partial(ledger.refund, member_id=member, op_id=uuid7(), orig_op=spent, amount=10)
            for _ in range(THREADS)
        ]
    )

    assert outcomes(answers) == {"ok": 5, "amount_exceeds_spend": THREADS - 5}
    assert get_balance(member).available == 100
    assert broken() == []


def test_batches_that_overlap_in_opposite_order_do_not_deadlock(cloned_database):
    members = [make_member().pk for _ in range(20)]

    def batch(order: list[int]) -> str:
        answers = ledger.earn_batch(
            [ledger.Earn(member_id=member, op_id=uuid7(), amount=1) for member in order]
        )
        return str({answer.code for answer in answers})

    answers = together([partial(batch, members if i % 2 else members[::-1]) for i in range(8)])

    assert answers == ["{'ok'}"] * 8
    assert [get_balance(member).available for member in members] == [8] * 20
    assert broken() == []


def test_the_sweep_beside_spends_at_midnight(cloned_database):
    """Both see the same new day; whoever comes first settles the lapsed bucket, once."""
    members = [make_member().pk for _ in range(6)]
    for member in members:
        ledger.earn(member_id=member, op_id=uuid7(), amount=10, until=MARCH)
        ledger.earn(member_id=member, op_id=uuid7(), amount=10, until=MAY)
    april = timedelta(days=140)

    def spend(member: int) -> str:
        with travel(april):
            return ledger.spend(member_id=member, op_id=uuid7(), amount=1).code

    def sweep() -> None:
        with travel(april):
            while ledger.expire_batch(2):
                pass

    jobs = [partial(spend, member) for member in members for _ in range(3)]
    answers = together([*jobs, *[sweep] * 6])
    sweep()

    assert answers[: len(jobs)] == ["ok"] * len(jobs)
    for member in members:
        assert get_balance(member).available == 7
        assert sorted(line.amount for line in list_entries(member)) == [-10, -1, -1, -1, 10, 10]
    assert broken() == []


def test_refund_clawback_and_spend_of_one_member_keep_the_books(cloned_database):
    member, earned, spent = make_member().pk, uuid7(), uuid7()
    ledger.earn(member_id=member, op_id=earned, amount=100)
    ledger.spend(member_id=member, op_id=spent, amount=60)

    together(
        [
            partial(ledger.refund, member_id=member, op_id=uuid7(), orig_op=spent, amount=7),
            partial(ledger.clawback, member_id=member, op_id=uuid7(), orig_op=earned, amount=30),
            partial(ledger.spend, member_id=member, op_id=uuid7(), amount=9),
            partial(ledger.hold, member_id=member, op_id=uuid7(), amount=3),
        ]
        * 5
    )

    assert broken() == []


def test_refund_clawback_and_expiry_of_one_member_keep_the_books(cloned_database):
    """In April: what comes back into March lapses at once, and debt is made only of nothing left."""
    member, earned, spent = make_member().pk, uuid7(), uuid7()
    ledger.earn(member_id=member, op_id=earned, amount=40, until=MARCH)
    ledger.earn(member_id=member, op_id=uuid7(), amount=30, until=MAY)
    ledger.spend(member_id=member, op_id=spent, amount=35)

    def in_april(verb, **order):
        with travel(timedelta(days=140)):
            return verb(**order)

    jobs = [
        partial(in_april, ledger.refund, member_id=member, orig_op=spent, amount=9),
        partial(in_april, ledger.clawback, member_id=member, orig_op=earned, amount=12),
    ]
    answers = together(
        [partial(job, op_id=uuid7()) for job in jobs * 5]
        + [partial(in_april, ledger.expire_batch)] * 5
    )

    assert outcomes(answers[:10:2]) == {"ok": 3, "amount_exceeds_spend": 2}
    assert outcomes(answers[1:10:2]) == {"ok": 3, "amount_exceeds_spend": 2}
    # 40 + 30 - 35 + 27 - 36, less what lapsed: all that March held or got back and nobody took.
    changes = rows(
        "SELECT sum(available_change - debt_change) FILTER (WHERE kind <> 7),"
        " sum(available_change) FILTER (WHERE kind = 7) FROM ledger.entry"
    )
    assert changes[0][0] == 26
    assert broken() == []


def test_members_taken_in_opposite_order_deadlock_into_an_honest_busy(cloned_database):
    """Two transactions of a caller's own, each with two members: one is told to try again."""
    members = [make_member().pk for _ in range(2)]
    for member in members:
        ledger.earn(member_id=member, op_id=uuid7(), amount=100)
    both_hold_one = Barrier(2)

    def spend_twice(order: list[int]) -> str:
        with transaction.atomic():
            ledger.spend(member_id=order[0], op_id=uuid7(), amount=1)
            both_hold_one.wait(30)
            return ledger.spend(member_id=order[1], op_id=uuid7(), amount=1).code

    answers = together([partial(spend_twice, members), partial(spend_twice, members[::-1])])

    assert sorted(getattr(answer, "code", answer) for answer in answers) == ["busy", "ok"]
    assert [get_balance(member).available for member in members] == [99, 99]
    assert broken() == []


def _without_its_guard(database: Database) -> None:
    """Let the swap write whatever the row has become meanwhile, and give rivals time to come."""
    signature = rows("SELECT oid::regprocedure::text FROM pg_proc WHERE proname = 'post'")[0][0]
    with database.connect(as_owner=True) as owner:
        [(definition,)] = owner.execute(
            "SELECT pg_get_functiondef(%s::regprocedure)", [signature]
        ).fetchall()
        assert definition.count(" AND seq = s.seq") == 1
        unguarded = definition.replace(" AND seq = s.seq", "").replace(
            "    UPDATE ledger.account", "    PERFORM pg_sleep(0.1);\n    UPDATE ledger.account"
        )
        owner.execute(unguarded)


def test_control_without_the_guard_credits_are_held_twice(cloned_database):
    """The harness can see the race: with the swap unguarded, the same test must go wrong."""
    member = make_member().pk
    ledger.earn(member_id=member, op_id=uuid7(), amount=100)
    _without_its_guard(cloned_database)

    answers = together(
        [partial(ledger.hold, member_id=member, op_id=uuid7(), amount=10) for _ in range(THREADS)]
    )

    assert outcomes(answers)["ok"] > 10
    assert {"I2", "I3"} <= set(broken())


@pytest.mark.parametrize("verb", [ledger.spend, ledger.earn])
def test_a_row_that_is_held_too_long_is_an_honest_busy(cloned_database, verb):
    member = make_member().pk
    ledger.earn(member_id=member, op_id=uuid7(), amount=100)
    with cloned_database.connect(as_owner=True) as rival, rival.transaction():
        rival.execute("SELECT 1 FROM ledger.account WHERE member_id = %s FOR UPDATE", [member])
        with pytest.raises(errors.LedgerBusy):
            verb(member_id=member, op_id=uuid7(), amount=1)
    assert get_balance(member).available == 100
