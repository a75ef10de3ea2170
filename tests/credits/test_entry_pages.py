"""A member's entries by key: pages join without a gap, and cost what they show."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credits import ledger
from credits.kinds import Counter, Kind
from credits.models import EarnBonus, EarnDecision
from credits.queries import entries, list_entries
from credits.queries.earning import read_rule_book, read_usage
from credits.queries.journal import read_lines
from tests.credits.conftest import travel
from zone.core.clock import database_now
from zone.core.ids import uuid7

PAGE = 7


def _all(member):
    return read_lines("WHERE member_id = %s ORDER BY seq DESC", [member.pk])


def _walk(member, limit=PAGE, **filters):
    found, before = [], None
    while page := list_entries(member, before=before, limit=limit, **filters):
        assert len(page) <= limit
        found += page
        before = page[-1].op_id
    return found


@pytest.fixture
def lines(alice):
    """150 entries over weeks; some of operations made hours or months before they were posted."""
    chance = random.Random(7)
    for number in range(150):
        with travel(timedelta(hours=5 * number)):
            late = chance.choice([0, 0, 0, 1, 20 * 3600, 100 * 24 * 3600])
            op = uuid7(database_now() - timedelta(seconds=late))
            if number % 4 == 3:
                ledger.spend(member_id=alice.pk, op_id=op, amount=2)
            else:
                ledger.earn(member_id=alice.pk, op_id=op, amount=3, counter=Counter.CHECK_IN)
    return _all(alice)


def test_pages_join_without_a_gap_whenever_operations_were_made(lines, alice):
    assert [line.seq for line in lines] == list(range(150, 0, -1))
    assert _walk(alice) == lines
    spent = [line for line in lines if line.kind == Kind.SPEND]
    assert _walk(alice, kinds=[Kind.SPEND]) == spent
    first, last = lines[100].posted_at, lines[20].posted_at
    between = [line for line in lines if first <= line.posted_at < last]
    assert _walk(alice, posted_after=first, posted_before=last) == between
    assert _walk(alice, posted_before=last, kinds=[Kind.SPEND], limit=3) == [
        line for line in spent if line.posted_at < last
    ]
    assert list_entries(alice, before=uuid7()) == []


def test_a_clock_that_went_back_hides_nothing(alice):
    for offset in (5, 4, 3, 2, 1, 0):
        with travel(timedelta(days=offset)):
            ledger.earn(member_id=alice.pk, op_id=uuid7(database_now()), amount=1)
    assert _walk(alice, limit=2) == _all(alice)


def test_a_page_costs_what_it_shows(alice, monkeypatch):
    for number in range(300):
        with travel(timedelta(minutes=number)):
            ledger.earn(member_id=alice.pk, op_id=uuid7(database_now()), amount=1)
    lines = _all(alice)
    read = []

    def count(clauses, values):
        found = read_lines(clauses, values)
        read.append(len(found))
        return found

    monkeypatch.setattr(entries, "read_lines", count)
    for before in (None, lines[30].op_id, lines[200].op_id):
        read.clear()
        with CaptureQueriesContext(connection) as queries:
            page = list_entries(alice, before=before, limit=30)
        assert (len(page), len(queries), read) == (30, 2, [50])


def test_what_was_used_up_is_read_for_the_months_that_count(alice):
    today = database_now().date().replace(day=15)  # Not at the edge of a month.
    once = EarnBonus.objects.create(name="once", times_max=1, times_per="always", **_bonus())
    monthly = EarnBonus.objects.create(name="monthly", times_max=1, times_per="month", **_bonus())
    for number in range(1500):
        day = today - timedelta(days=number // 2)
        parts = [{"kind": "bonus", "id": monthly.pk}, {"kind": "purchase", "id": once.pk}]
        if number == 1400:
            parts.append({"kind": "bonus", "id": once.pk})
        EarnDecision.objects.create(
            charge_id=uuid7(), member=alice, paid_on=day, credits=3, reason="earned", parts=parts,
            decided_at=database_now(),
        )  # fmt: skip
    with CaptureQueriesContext(connection) as queries:
        usage = read_usage([alice.pk], [today], read_rule_book())[alice.pk]
    assert len(queries) == 2 + 3  # The rule book is three.
    this_month = {today - timedelta(days=back) for back in range(today.day)}
    assert usage.credits_on == dict.fromkeys(this_month, 6)
    assert usage.in_month(today) == 6 * today.day
    assert usage.times(monthly, today) == 2 * today.day
    assert usage.times(once, today) == 1
    assert len(usage.bonuses_on) == 2 * today.day + 1


def _bonus():
    now = database_now()
    return {"starts_at": now, "ends_at": now + timedelta(days=30)}
