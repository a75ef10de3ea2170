"""A batch of earns says and does exactly what the same earns do one by one."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credits import errors, ledger
from credits.kinds import Counter, Funding
from tests.credits.conftest import broken, rows
from tests.factories import make_member
from zone.core.clock import database_now
from zone.core.ids import uuid7

MEMBERS = 6  # plain, new, in debt, frozen, closed, with lapsed credits; one more is unknown
UNKNOWN = 10**12
BATCHES = 120


@pytest.fixture
def cast(db) -> list[int]:
    """One member for each standing that a batch can meet."""
    keys = [make_member().pk for _ in range(MEMBERS)]
    plain, _new, indebted, frozen, closed, lapsed = keys
    ledger.earn(member_id=plain, op_id=uuid7(), amount=50)
    ledger.earn(member_id=plain, op_id=uuid7(), amount=5, until=date(2027, 5, 31))
    owed = uuid7()
    ledger.earn(member_id=indebted, op_id=owed, amount=40)
    ledger.spend(member_id=indebted, op_id=uuid7(), amount=40)
    ledger.clawback(member_id=indebted, op_id=uuid7(), orig_op=owed, amount=40)
    ledger.freeze(member_id=frozen, reason="check", actor="operator:test")
    ledger.close(member_id=closed, reason="left", actor="operator:test")
    past = database_now() - timedelta(days=100)
    ledger.earn(member_id=lapsed, op_id=uuid7(past), amount=9, until=past.date(), posted_at=past)
    return keys


# What a batch may hold: a member's place in the cast, an operation by its number (so that some
# come twice or out of order), and what else an earn says.
EARNS = st.lists(
    st.tuples(
        st.integers(0, MEMBERS),
        st.integers(0, 30),
        st.integers(1, 90) | st.just(ledger.AMOUNT_MAX),
        st.sampled_from(
            [None, date(2020, 1, 1), date(2027, 1, 5), date(2027, 5, 31), date(2199, 1, 1)]
        ),
        st.sampled_from(Funding),
        st.sampled_from(["", "txn_1", "clm_1"]),
        st.sampled_from(["", "", "", "past", "future"]),
    ),
    min_size=1,
    max_size=24,
)


def _made(cast: list[int], asked: list[tuple[Any, ...]]) -> list[ledger.Earn]:
    now = database_now()
    ops = [uuid7(now - timedelta(milliseconds=40 - n)) for n in range(31)]
    odd = {"past": now - timedelta(days=300), "future": now + timedelta(hours=2)}
    return [
        ledger.Earn(
            member_id=[*cast, UNKNOWN][who],
            op_id=uuid7(odd["future"]) if when == "future" else ops[number],
            amount=amount,
            until=until,
            funding=funding,
            counter=Counter.PURCHASES,
            related=related,
            posted_at=odd.get(when) if when == "past" else None,
        )
        for who, number, amount, until, funding, related, when in asked
    ]


def _said(answer: ledger.Result | errors.LedgerError) -> tuple[Any, ...]:
    if isinstance(answer, errors.LedgerError):
        return type(answer).__name__, answer.facts
    return (
        answer.code, answer.op_id, answer.amount, answer.available, answer.held, answer.debt,
        answer.seq, answer.expires_on,
    )  # fmt: skip


def _single(earn: ledger.Earn, *, is_owed: bool) -> ledger.Result | errors.LedgerError:
    """One earn by itself; what is owed has no verb of its own and goes as a batch of one."""
    if is_owed:
        return ledger.earn_batch([earn], is_owed=True)[0]
    try:
        return ledger.earn(**{name: getattr(earn, name) for name in earn.__slots__})
    except errors.LedgerError as refusal:
        return refusal


def _books() -> list[list[tuple[Any, ...]]]:
    """All of it, but for the instants of posting and what follows from them."""
    return [
        rows(statement)
        for statement in (
            "SELECT * FROM ledger.account ORDER BY member_id",
            "SELECT * FROM ledger.lot_due ORDER BY zone, month, member_id",
            "SELECT member_id, CASE WHEN kind <> 7 THEN op_id END, occurred_at, seq,"
            " available_change, held_change, debt_change, available_after, held_after, debt_after,"
            " day, kind, counter, alloc, reason, related FROM ledger.entry ORDER BY member_id, seq",
        )
    ]


class _Undo(Exception):
    """Ends one try; nothing of it stays."""


@pytest.mark.parametrize("is_owed", [False, True])
def test_a_batch_is_its_earns_one_by_one(cast, is_owed):
    @settings(
        max_examples=BATCHES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(asked=EARNS)
    def compare(asked: list[tuple[Any, ...]]) -> None:
        earns = _made(cast, asked)
        results: list[tuple[Any, Any]] = []
        for post in (
            lambda: ledger.earn_batch(earns, is_owed=is_owed),
            lambda: [_single(earn, is_owed=is_owed) for earn in earns],
        ):
            try:
                with transaction.atomic():
                    said = [_said(answer) for answer in post()]
                    results.append((said, _books()))
                    raise _Undo
            except _Undo:
                pass
        assert results[0] == results[1]

    compare()
    assert broken() == []


def test_many_earns_of_one_member_open_several_buckets_at_once(alice):
    months = [date(2027, month, 1) for month in (9, 3, 6, 3)]
    earns = [
        ledger.Earn(member_id=alice.pk, op_id=op, amount=10 + n, until=until)
        for n, (op, until) in enumerate(zip(sorted(uuid7() for _ in months), months, strict=True))
    ]

    answers = ledger.earn_batch(earns)

    assert [(a.code, a.seq, a.available) for a in answers if isinstance(a, ledger.Result)] == [
        ("ok", 1, 10), ("ok", 2, 21), ("ok", 3, 33), ("ok", 4, 46),
    ]  # fmt: skip
    assert rows("SELECT bucket_keys, bucket_left, seq FROM ledger.account") == [
        ([652, 658, 664], [24, 12, 10], 4)
    ]
    assert rows("SELECT month FROM ledger.lot_due ORDER BY month") == [(326,), (329,), (332,)]


def test_purchases_paid_for_with_credits_are_refused_in_a_batch_too(alice):
    first, second = (
        ledger.Earn(member_id=alice.pk, op_id=uuid7(), amount=1, related=related)
        for related in ("clm_1", "txn_1")
    )
    answers = ledger.earn_batch([first, second])
    assert isinstance(answers[0], errors.ClosedLoop)
    assert answers[1].code == "ok"


def test_rising_members_share_a_plan_with_none_left_out(db):
    """A long batch in falling order: one answer each, in the order asked, and every balance right."""
    members = [make_member().pk for _ in range(60)]
    earns = [
        ledger.Earn(member_id=member, op_id=UUID(str(uuid7())), amount=1 + n)
        for n, member in enumerate(reversed(members))
    ]
    answers = ledger.earn_batch(earns)
    assert [answer.available for answer in answers] == [earn.amount for earn in earns]
