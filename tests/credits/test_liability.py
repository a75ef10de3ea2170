"""Liability equals the live buckets times their unit cost, on the page as in the export."""

import csv
import random
from collections import defaultdict
from datetime import date, timedelta
from functools import partial
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credits import ledger
from credits.errors import LedgerError
from credits.kinds import Counter, Funding
from credits.models import UnitCost
from credits.queries.liability import cost_of, count_outstanding, read_liability
from credits.services.rollups import roll_flows
from credits.services.sealing import seal
from tests.credits.conftest import broken, rows, travel
from tests.factories import make_member, make_operator, sign_in_operator
from tests.threads import together
from zone.core.clock import database_now
from zone.core.ids import uuid7

LIVE_BUCKETS = """
    SELECT m.wallet_id, u.key % 2, sum(u.amount)::bigint
    FROM ledger.account a JOIN members_member m ON m.id = a.member_id
    JOIN ledger.zone_day z ON z.zone = a.zone, unnest(a.bucket_keys, a.bucket_left) u (key, amount)
    WHERE u.key >= ledger.month_number(ledger.today(z.zone)) * 2 GROUP BY 1, 2
"""
COSTS = {("CNY", Funding.PROMOTIONAL): 137, ("CNY", Funding.PAID): 990, ("PHP", Funding.PAID): 55}


@pytest.fixture
def programme(cloned_database):
    """Fourteen months of two wallets' members: all verbs, some of it expired, some rolled up."""
    for (currency, funder), cost in COSTS.items():
        UnitCost.objects.create(
            funder=funder, currency=currency, per_thousand=cost + 1000, starts_on=date(2020, 1, 1)
        )
        UnitCost.objects.create(
            funder=funder, currency=currency, per_thousand=cost, starts_on=date(2026, 12, 15)
        )
    chance = random.Random(11)
    members = [make_member().pk for _ in range(4)] + [
        make_member(wallet="GCASH").pk for _ in range(3)
    ]
    for month in range(14):
        with travel(timedelta(days=30 * month)):
            for member in members:
                _live(member, chance)
            if month % 3 == 0:
                ledger.expire_batch()
            if month < 10:
                seal()
                roll_flows()
            else:
                seal()
    with travel(timedelta(days=30 * 13, hours=1)):
        yield members


def _live(member, chance):
    now = database_now()
    earned = uuid7(now)
    ledger.earn(
        member_id=member, op_id=earned, amount=chance.randint(20, 90),
        funding=chance.choice(list(Funding)), counter=Counter.PURCHASES,
        until=now.date() + timedelta(days=chance.choice([40, 90, 370])),
    )  # fmt: skip
    for verb in chance.sample(["spend", "hold", "void", "capture", "claw", "adjust"], 3):
        try:
            _do(verb, member, earned, now, chance)
        except LedgerError:
            continue


def _do(verb, member, earned, now, chance):
    amount = chance.randint(1, 25)
    match verb:
        case "spend":
            spent = ledger.spend(member_id=member, op_id=uuid7(now), amount=amount)
            ledger.refund(member_id=member, op_id=uuid7(now), orig_op=spent.op_id, amount=1)
        case "hold":
            ledger.hold(member_id=member, op_id=uuid7(now), amount=amount)
        case "void":
            held = ledger.hold(member_id=member, op_id=uuid7(now), amount=amount)
            ledger.void(member_id=member, hold_op=held.op_id, op_id=uuid7(now))
        case "capture":
            held = ledger.hold(member_id=member, op_id=uuid7(now), amount=amount + 1)
            ledger.capture(member_id=member, hold_op=held.op_id, op_id=uuid7(now), amount=amount)
        case "claw":
            ledger.clawback(member_id=member, op_id=uuid7(now), orig_op=earned, amount=amount)
        case "adjust":
            ledger.adjust(member_id=member, op_id=uuid7(now), amount=chance.choice([-3, 5]))


def test_liability_is_the_live_buckets_times_their_unit_cost(programme):
    read = read_liability()
    expected = {(code, funder): live for code, funder, live in rows(LIVE_BUCKETS)}
    assert {(o.wallet, o.funder): o.live for o in read.outstanding if o.live} == expected
    assert len(expected) == 4

    money = defaultdict(int)
    for (code, funder), live in expected.items():
        currency = {"GCASH": "PHP"}.get(code, "CNY")
        if (currency, funder) in COSTS:
            money[currency] += (live * COSTS[currency, Funding(funder)] + 500) // 1000
    assert read.totals == dict(money)
    assert all(money.values())
    assert (
        sum(o.held for o in read.outstanding) == rows("SELECT sum(held) FROM ledger.account")[0][0]
    )
    assert rows("SELECT count(*) > 0 FROM ledger.entry WHERE kind = 7") == [(True,)]


def test_months_join_and_add_up_to_the_books(programme):
    read = read_liability()
    by_funder = defaultdict(list)
    for line in reversed(read.months):
        by_funder[line.wallet, line.funder].append(line)
    for (wallet, funder), lines in by_funder.items():
        left = 0
        for line in lines:
            assert line.opening == left
            left = line.closing
        [(in_books,)] = rows(
            "SELECT coalesce(sum(u.amount), 0)::int FROM ledger.account a JOIN members_member m"
            " ON m.id = a.member_id, unnest(a.bucket_keys, a.bucket_left) u (key, amount)"
            " WHERE m.wallet_id = %s AND u.key %% 2 = %s",
            [wallet, funder],
        )
        assert left == in_books
    issued = sum(line.issued for line in read.months)
    repaid = rows("SELECT -sum(debt_change) FROM ledger.entry WHERE kind = 1 AND debt_change < 0")
    earned = rows("SELECT sum(available_change - debt_change) FROM ledger.entry WHERE kind = 1")
    assert issued + (repaid[0][0] or 0) == earned[0][0]
    old = [line for line in read.months if line.starts_on == date(2026, 11, 1)]
    assert {line.per_thousand for line in old} <= {None, 1137, 1990, 1055}


def test_what_is_outstanding_is_the_sum_of_all_accounts_without_reading_them(programme):
    """The board's figure before and after the months are rolled up, for all and for one wallet."""
    sums = dict(
        rows(
            "SELECT m.wallet_id, sum(a.available + a.held)::int FROM ledger.account a"
            " JOIN members_member m ON m.id = a.member_id GROUP BY 1"
        )
    )
    for _ in range(2):
        with CaptureQueriesContext(connection) as caught:
            assert count_outstanding() == sum(sums.values())
        assert not any("ledger.account" in query["sql"] for query in caught)
        assert {code: count_outstanding([code]) for code in sums} == sums
        assert count_outstanding([]) == 0
        roll_flows()


def test_rolling_changes_nothing_and_is_done_once(programme):
    before = read_liability()
    assert rows("SELECT count(*) > 0 FROM ledger.month_flow") == [(True,)]
    tail = "SELECT count(*) FROM ledger.entry WHERE txid >= (SELECT tx_hi FROM ledger.flow_mark)"
    assert rows(tail)[0][0] > 0
    assert sum(together([roll_flows] * 4)) == 4  # The four blocks that were left, by whoever came.
    assert roll_flows() == 0
    after = read_liability()
    assert (after.months, after.outstanding) == (before.months, before.outstanding)
    assert rows(tail) == [(0,)]
    assert broken() == []


def test_a_look_reads_the_months_and_the_tail_alone(programme):
    roll_flows()
    with CaptureQueriesContext(connection) as queries:
        read_liability()
    assert len(queries) <= 6
    [(plan,)] = rows(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM ledger.flows(%s, %s)", [2**62] * 2
    )
    assert plan[0]["Plan"]["Actual Rows"] == 0
    assert not [
        q for q in queries if "ledger.entry" in q["sql"]
    ]  # Only through the tail's function.


def test_control_a_month_that_was_tampered_with_is_named(programme, cloned_database):
    roll_flows()
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("UPDATE ledger.month_flow SET amount = amount + 1 WHERE kind = 2")
    assert broken() == ["I38"]


def test_page_and_export_have_equal_numbers(programme, client):
    sign_in_operator(client, make_operator("finance"))
    # The clock of the test is a setting of this session, and the client uses the same one.
    page = client.get("/console/liability").content.decode()
    table = list(csv.DictReader(StringIO(client.get("/console/liability.csv").content.decode())))
    read = read_liability()
    assert len(table) == len(read.months) == page.count("<td>2026-") + page.count("<td>2027-")
    for row, line in zip(table, read.months, strict=True):
        numbers = [int(row[name]) for name in ("opening", "issued", "spent", "expired", "closing")]
        assert numbers == [line.opening, line.issued, line.spent, line.expired, line.closing]
        cells = "".join(
            f'<td class="num">{value:,}</td>'
            for value in (
                line.opening, line.issued, line.corrected, line.spent, line.taken_back,
                line.expired, line.closing,
            )
        )  # fmt: skip
        assert cells in page
        assert row["liability_minor"] == ("" if line.cost is None else str(line.cost))


def test_rounding_is_half_up_and_an_unknown_cost_is_no_cost():
    assert [cost_of(n, 500) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert cost_of(5, None) is None


def test_two_rollers_at_once_count_each_entry_once(cloned_database):
    members = [make_member().pk for _ in range(5)]
    for member in members:
        ledger.earn(member_id=member, op_id=uuid7(), amount=10)
        seal()
    together([partial(roll_flows) for _ in range(6)])
    assert rows("SELECT sum(amount), sum(move_count) FROM ledger.month_flow") == [(50, 5)]
    assert broken() == []
