"""From a purchase to what its credits paid for and back, by a rule that has one answer."""

import random
from datetime import date, timedelta

import pytest

from credits import ledger
from credits.errors import LedgerError
from credits.kinds import Counter, Funding
from credits.queries import entries, get_balance
from credits.queries.entries import AHEAD
from credits.queries.trail import LINES_PER_READ, trace_source, trace_use
from tests.credits.conftest import rows, travel
from tests.factories import make_member
from zone.core.clock import database_now
from zone.core.ids import uuid7

MARCH, MAY = date(2027, 3, 31), date(2027, 5, 31)


def _earn(member, amount, related, until=MAY):
    op = uuid7()
    ledger.earn(member_id=member.pk, op_id=op, amount=amount, until=until, related=related)
    return op


def _spend(member, amount, related):
    op = uuid7()
    ledger.spend(member_id=member.pk, op_id=op, amount=amount, related=related)
    return op


def _from(member, claim):
    found = trace_use(member, claim)
    return [(share.source.related, share.expires_on, share.amount) for share in found.shares]


def _to(member, charge):
    found = trace_source(member, charge)
    return [(share.use.related, share.amount) for share in found.shares], found.left_total


def test_soonest_end_first_and_within_a_bucket_first_come(alice):
    _earn(alice, 30, "txn_late", MAY)
    _earn(alice, 10, "txn_a", MARCH)
    _earn(alice, 10, "txn_b", MARCH)
    _spend(alice, 15, "clm_1")
    _spend(alice, 15, "clm_2")
    assert _from(alice, "clm_1") == [("txn_a", MARCH, 10), ("txn_b", MARCH, 5)]
    assert _from(alice, "clm_2") == [("txn_b", MARCH, 5), ("txn_late", MAY, 10)]
    assert _to(alice, "txn_b") == ([("clm_1", 5), ("clm_2", 5)], 0)
    assert _to(alice, "txn_late") == ([("clm_2", 10)], 20)
    assert _from(alice, "clm_none") == []


def test_what_comes_back_is_the_last_that_was_taken_and_stands_in_its_place(alice):
    _earn(alice, 10, "txn_a")
    _earn(alice, 10, "txn_b")
    spent = _spend(alice, 15, "clm_1")
    ledger.refund(member_id=alice.pk, op_id=uuid7(), orig_op=spent, amount=7)
    assert _from(alice, "clm_1") == [("txn_a", MAY, 8)]
    _spend(alice, 3, "clm_2")
    assert _from(alice, "clm_2") == [("txn_a", MAY, 2), ("txn_b", MAY, 1)]


def test_a_hold_is_its_claims_and_a_capture_keeps_what_it_took(alice):
    _earn(alice, 10, "txn_a")
    _earn(alice, 10, "txn_b")
    held = ledger.hold(member_id=alice.pk, op_id=uuid7(), amount=15, related="clm_1")
    done = ledger.capture(member_id=alice.pk, hold_op=held.op_id, op_id=uuid7(), amount=12)
    assert _from(alice, "clm_1") == [("txn_a", MAY, 10), ("txn_b", MAY, 2)]
    ledger.refund(member_id=alice.pk, op_id=uuid7(), orig_op=done.op_id, amount=12)
    assert _from(alice, "clm_1") == []
    assert _to(alice, "txn_b") == ([], 10)


def test_a_clawback_takes_its_own_earn_first(alice):
    _earn(alice, 10, "txn_a")
    undone = _earn(alice, 10, "txn_b")
    ledger.clawback(member_id=alice.pk, op_id=uuid7(), orig_op=undone, amount=10, related="rfd_b")
    assert _to(alice, "txn_b") == ([("rfd_b", 10)], 0)
    assert _to(alice, "txn_a") == ([], 10)


@pytest.mark.parametrize("seed", range(12))
def test_every_credit_has_one_source_and_one_place(db, seed):
    chance, member = random.Random(seed), make_member()
    for number in range(25):
        try:
            _step(chance, member, number)
        except LedgerError:
            continue
    sources = [trace_source(member, f"txn_{number}") for number in range(25)]
    uses = [trace_use(member, f"clm_{number}") for number in range(25)]
    # All that is left has a source: the sums by bucket are the account's own.
    left = {}
    for found in sources:
        for bucket, amount in found.left.items():
            left[bucket] = left.get(bucket, 0) + amount
    in_account = rows(
        "SELECT u.key, u.amount FROM ledger.account a,"
        " unnest(a.bucket_keys, a.bucket_left) u (key, amount) WHERE member_id = %s",
        [member.pk],
    )
    assert left == dict(in_account)
    assert sum(left.values()) == get_balance(member).available
    # Read no further than the question goes, the answer is the same.
    for number, (source, use) in enumerate(zip(sources, uses, strict=True)):
        for whole, trace, related in (
            (source, trace_source, f"txn_{number}"), (use, trace_use, f"clm_{number}"),
        ):  # fmt: skip
            if whole.lines:
                since = whole.lines[0].posted_at + AHEAD
                assert _told(trace(member, related, since=since)) == _told(whole)
    # And forwards is backwards.
    forward = sorted(
        (s.source.seq, s.use.seq, s.bucket, s.amount)
        for found in sources
        for s in found.shares
        if s.use.related.startswith("clm_")
    )
    backward = sorted((s.source.seq, s.use.seq, s.bucket, s.amount) for f in uses for s in f.shares)
    assert forward == backward


def _told(found):
    shares = [(s.source.seq, s.use.seq, s.bucket, s.amount) for s in found.shares]
    return [line.seq for line in found.lines], shares, found.left


def test_a_long_history_is_not_read_for_a_recent_question(alice, monkeypatch):
    """Five hundred entries before; both questions read the page that they are on, 200 rows and 20."""
    _earn(alice, 10_000, "txn_old", MARCH)
    for number in range(500):
        _spend(alice, 1, f"clm_old_{number}")
    with travel(timedelta(hours=2)):
        now = database_now()
        ledger.earn(member_id=alice.pk, op_id=uuid7(now), amount=50, until=MAY, related="txn_new")
        ledger.adjust(member_id=alice.pk, op_id=uuid7(now), amount=-9500)
        ledger.spend(member_id=alice.pk, op_id=uuid7(database_now()), amount=30, related="clm_new")
        read = _count_lines(monkeypatch)
        for trace, related in ((trace_source, "txn_new"), (trace_use, "clm_new")):
            read.clear()
            found = trace(alice, related, since=now)
            assert [(s.source.related, s.amount) for s in found.shares] == [("txn_new", 30)]
            assert sum(len(lines) for lines in read) <= LINES_PER_READ + entries.PIECE_MIN


def _count_lines(monkeypatch):
    """How many rows of the journal are read from now on, in a list that grows."""
    read = []
    kept = entries.read_lines
    monkeypatch.setattr(entries, "read_lines", lambda *asked: read.append(kept(*asked)) or read[-1])
    return read


def test_what_came_back_into_an_emptied_bucket_is_named_without_reading_everything(
    alice, monkeypatch
):
    """Six hundred entries; what paid had left the bucket once, a hundred entries before it was asked."""
    _earn(alice, 10_000, "txn_old", MARCH)
    for number in range(500):
        _spend(alice, 1, f"clm_old_{number}")
    ledger.adjust(member_id=alice.pk, op_id=uuid7(), amount=-9500)
    _earn(alice, 60, "txn_named", MAY)
    held = ledger.hold(member_id=alice.pk, op_id=uuid7(), amount=60, related="clm_back")
    ledger.capture(member_id=alice.pk, hold_op=held.op_id, op_id=(taken := uuid7()), amount=60)
    for number in range(50):
        _earn(alice, 1, f"txn_{number}", MARCH)
        _spend(alice, 1, f"clm_{number}")
    with travel(timedelta(hours=2)):
        now = database_now()
        ledger.refund(member_id=alice.pk, op_id=uuid7(now), orig_op=taken, amount=50)
        ledger.spend(member_id=alice.pk, op_id=uuid7(now), amount=30, related="clm_new")
        read = _count_lines(monkeypatch)
        found = trace_use(alice, "clm_new", since=now)
        assert [(s.source.related, s.amount) for s in found.shares] == [("txn_named", 30)]
        assert sum(len(lines) for lines in read) <= LINES_PER_READ + entries.PIECE_MIN
        assert _told(found) == _told(trace_use(alice, "clm_new"))


def _step(chance, member, number):
    amount = chance.randint(1, 30)
    match chance.choice(["earn", "earn", "spend", "hold", "refund", "void", "claw"]):
        case "earn":
            ledger.earn(
                member_id=member.pk, op_id=uuid7(), amount=amount, related=f"txn_{number}",
                until=chance.choice([MARCH, MAY]), funding=chance.choice(list(Funding)),
                counter=Counter.PURCHASES,
            )  # fmt: skip
        case "spend":
            _spend(member, amount, f"clm_{number}")
        case "hold":
            held = ledger.hold(
                member_id=member.pk, op_id=uuid7(), amount=amount, related=f"clm_{number}"
            )
            ledger.capture(
                member_id=member.pk, hold_op=held.op_id, op_id=uuid7(),
                amount=chance.randint(1, amount),
            )  # fmt: skip
        case "refund":
            spent = _spend(member, amount, f"clm_{number}")
            part = chance.randint(1, amount)
            ledger.refund(member_id=member.pk, op_id=uuid7(), orig_op=spent, amount=part)
        case "void":
            held = ledger.hold(
                member_id=member.pk, op_id=uuid7(), amount=amount, related=f"clm_{number}"
            )
            ledger.void(member_id=member.pk, hold_op=held.op_id, op_id=uuid7())
        case "claw":
            earned = _earn(member, amount, f"txn_{number}")
            _spend(member, chance.randint(1, amount), f"clm_{number}")
            available = get_balance(member).available
            if available:
                ledger.clawback(
                    member_id=member.pk, op_id=uuid7(), orig_op=earned,
                    amount=min(amount, available),
                )  # fmt: skip
