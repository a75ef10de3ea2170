"""The whole feed of a wallet, with known outcomes, as an operator runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import Count, Q, Sum

from tests import databases
from tests.history.checks import checksums
from zone.history.models import Charge, Refund, RejectedMessage, SubscriptionEvent, UnlinkedMessage
from zone.members.models import Member

DATA = Path(settings.BASE_DIR) / "tests" / "data"
EXPECTED = json.loads((DATA / "feed-expected.json").read_text("utf-8"))
FIRST, ALL = EXPECTED["by_outcome"], EXPECTED["messages"]
# Facts that two runs must agree on: everything but keys, which are made afresh, and the hour.
FACTS = {
    "history_charge": "wallet_id, member_id, bill_no, order_no, amount, currency, refunded, "
    "subscription_amount, app_amount, has_sound_lines, paid_at, status",
    "history_refund": "wallet_id, member_id, bill_no, refund_no, amount, refunded_at, state",
    "history_subscription": "wallet_id, member_id, reference, plan, status, is_trial, price, "
    "period, period_ends_at, occurred_at, event_reference, started_at",
    "history_charge_key": "wallet_id, bill_no, user_index, amount, occurred_at, row_id IS NULL",
    "history_refund_key": "wallet_id, bill_no, refund_reference, amount, is_counted",
    "history_subscription_event_key": "wallet_id, event_reference, fingerprint",
    "history_unlinkedmessage": "wallet_id, user_index, path, reference, body",
    "history_rejectedmessage": "wallet_id, path, outcome, reason, reference, body",
}

pytestmark = pytest.mark.slow


def feed(database):
    run = database.manage("ingest_feed", str(DATA / "feed.jsonl"))
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def facts(database):
    with database.connect() as connection:
        return {
            table: connection.execute(
                f"SELECT count(*), md5(string_agg(row::text, '|' ORDER BY row::text))"
                f"  FROM (SELECT {columns} FROM {table}) AS row"
            ).fetchone()
            for table, columns in FACTS.items()
        }


@pytest.fixture
def members(cloned_database):
    run = cloned_database.manage("import_members", str(DATA / "members.csv"))
    assert run.returncode == 0, run.stderr
    assert Member.objects.count() == EXPECTED["linked_members"] == 285
    return cloned_database


def test_every_count_and_sum_is_as_known_and_a_second_run_changes_nothing(members):
    first = feed(members)

    assert first["messages"] == ALL
    assert first["by_outcome"] == FIRST
    assert first["stored_by_wallet"] == EXPECTED["stored_by_wallet"]
    assert_rows_say_the_same()
    before = checksums()

    second = feed(members)

    assert second["by_outcome"] == {
        "stored": 0,
        "unlinked": 0,
        "duplicate": FIRST["stored"] + FIRST["unlinked"] + FIRST["duplicate"],
        "inconsistent": FIRST["inconsistent"],
        "illegal": FIRST["illegal"],
    }
    assert second["stored_by_wallet"] == {}
    assert checksums() == before


def assert_rows_say_the_same():
    """What was printed is what the tables hold."""
    paid = {
        row["wallet"]: row
        for row in Charge.objects.values("wallet", "currency").annotate(
            charges=Count("id"), charged=Sum("amount"), given_back=Sum("refunded")
        )
    }
    back = {
        row["wallet"]: row
        for row in Refund.objects.values("wallet").annotate(
            refunds=Count("id", filter=Q(state="applied")), refunded=Sum("amount")
        )
    }
    told = dict(
        SubscriptionEvent.objects.values_list("subscription__wallet").annotate(count=Count("id"))
    )
    for wallet, sums in EXPECTED["stored_by_wallet"].items():
        assert paid[wallet]["currency"] == sums["currency"]
        assert paid[wallet]["charges"] == sums["charges"]
        assert paid[wallet]["charged"] == sums["charged"]
        assert back[wallet]["refunds"] == sums["refunds"]
        assert back[wallet]["refunded"] == paid[wallet]["given_back"] == sums["refunded"]
        assert told[wallet] == sums["subscription_events"]
    assert UnlinkedMessage.objects.count() == FIRST["unlinked"]
    flagged = dict(RejectedMessage.objects.values_list("outcome").annotate(count=Count("id")))
    assert flagged == {"illegal": FIRST["illegal"], "inconsistent": FIRST["inconsistent"]}


def test_killed_in_the_middle_and_run_again_it_ends_in_the_same_state(members):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "ingest_feed", str(DATA / "feed.jsonl")],
        env={**os.environ, **members.env, "DJANGO_SETTINGS_MODULE": "zone.settings"},
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while Charge.objects.count() < 200:
            assert time.monotonic() < deadline
            assert process.poll() is None, "it was done before it could be killed"
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    stored = Charge.objects.count()
    assert 0 < stored < 2280

    again = feed(members)

    assert again["by_outcome"]["stored"] < FIRST["stored"]
    assert_rows_say_the_same()
    broken = facts(members)
    assert feed(members)["by_outcome"]["stored"] == 0
    assert facts(members) == broken
    assert broken == facts_of_an_undisturbed_run()


def facts_of_an_undisturbed_run():

    with databases.copy() as other:
        run = other.manage("import_members", str(DATA / "members.csv"))
        assert run.returncode == 0, run.stderr
        feed(other)
        return facts(other)


def test_a_line_that_is_no_message_is_named_and_counted(cloned_database, tmp_path):
    file = tmp_path / "broken.jsonl"
    file.write_text('{"wallet": "ALIPAY_CN"\n\n{"wallet": "NOBODY", "path": "x", "body": {}}\n')

    run = cloned_database.manage("ingest_feed", str(file))

    assert json.loads(run.stdout)["by_outcome"]["illegal"] == 2
    assert "line 1: " in run.stderr
    assert "line 3: " in run.stderr


def test_a_file_that_is_not_there_is_said_in_a_sentence(cloned_database):
    run = cloned_database.manage("ingest_feed", "/nowhere/feed.jsonl")

    assert run.returncode == 1
    assert "/nowhere/feed.jsonl: No such file or directory" in run.stderr
    assert "Traceback" not in run.stderr
