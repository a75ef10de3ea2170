"""A month's statement adds up on page, in CSV and in its proof, and the proof finds any change."""

import csv
import json
import subprocess
import sys
from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from credits import ledger, verify_statement
from credits.queries.monthly import get_month, month_after, month_before
from credits.services.sealing import seal
from tests.credits.conftest import rows
from tests.factories import bind, make_member, sign_in
from zone.core.ids import uuid7

SCRIPT = Path(verify_statement.__file__)


def _run(*arguments):
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def story(cloned_database, client, tmp_path):
    """Two sealed blocks and more of alice's lines among another's; and her signed-in browser."""
    alice, other = make_member(), make_member()
    bind(alice)
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=120, reason="welcome")
    for _ in range(3):
        ledger.earn(member_id=other.pk, op_id=uuid7(), amount=5)
    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=20)
    seal()
    ledger.earn(member_id=other.pk, op_id=uuid7(), amount=5)
    held = ledger.hold(member_id=alice.pk, op_id=uuid7(), amount=50)
    seal()
    ledger.capture(member_id=alice.pk, hold_op=held.op_id, op_id=uuid7(), amount=30)
    seal()
    sign_in(client, alice)
    return alice, client, tmp_path


def _proof(client):
    return json.loads(client.get("/credits/statement-proof.json").getvalue())


def _check(tmp_path, proof, *more):
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    return _run(file, *more)


def test_opening_and_lines_are_closing_on_page_and_in_csv(story):
    alice, client, _ = story
    page = client.get("/credits/statement").content.decode()
    for words in ("Opening balance", "Closing balance", "All changes", "+120", "Balance 100"):
        assert words in page

    text = client.get("/credits/statement.csv").getvalue().decode("utf-8-sig")
    table = list(csv.DictReader(StringIO(text)))
    changes = [int(row["change"]) for row in table if row["change"]]
    assert changes == [120, -20, -50, 20]
    assert (table[0]["kind"], table[0]["balance"]) == ("opening", "0")
    assert (table[-1]["kind"], table[-1]["balance"]) == ("closing", "70")
    assert int(table[0]["balance"]) + sum(changes) == int(table[-1]["balance"])

    this_month = get_month(alice, rows("SELECT zone_now()::date")[0][0].replace(day=1))
    assert this_month.opening.available + sum(changes) == this_month.closing.available == 70

    spent = client.get("/credits/statement?show=spent").content.decode()
    assert "Lines shown" in spent
    assert "+120" not in spent


def test_months_join_without_a_gap(story):
    alice, _, _ = story
    this_month = rows("SELECT (zone_now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0].replace(day=1)
    now = get_month(alice, this_month)
    assert get_month(alice, month_before(this_month)).closing == now.opening
    later = get_month(alice, month_after(this_month))
    assert (later.opening, later.line_count, later.closing) == (now.closing, 0, now.closing)


@pytest.mark.parametrize(
    ("month", "before", "after"),
    [
        (date(2026, 1, 1), date(2025, 12, 1), date(2026, 2, 1)),
        (date(2026, 12, 1), date(2026, 11, 1), date(2027, 1, 1)),
    ],
)
def test_neighbours_of_a_month(month, before, after):
    assert (month_before(month), month_after(month)) == (before, after)


@pytest.mark.parametrize("month", ["x", "2026-13", "2026-1", "1999-12", "9999-01", "2026-W01"])
def test_what_is_no_month_is_not_found(story, month):
    _, client, _ = story
    for name in ("statement", "statement.csv", "statement.pdf", "statement-proof.json"):
        assert client.get(f"/credits/{name}", {"month": month}).status_code == 404


def test_a_good_proof_holds_offline(story):
    _, client, tmp_path = story
    proof = _proof(client)
    published = tmp_path / "seals.json"
    published.write_text(json.dumps(client.get("/credits/seals.json").json()))

    answer = _check(tmp_path, proof, "--published", published)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.splitlines() == [
        f"ok     4 lines of {proof['month']} add up: 0 + 70 = 70",
        "ok     4 lines are sealed in 3 blocks",
        "ok     blocks 1 to 3 form one chain",
        "ok     3 of 3 roots were published",
    ]


def test_a_line_that_is_too_new_is_said_to_be(story):
    alice, client, tmp_path = story
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=1)
    answer = _check(tmp_path, _proof(client))
    assert answer.returncode == 0
    assert "1 lines are too new to be sealed" in answer.stdout


def _set(path, value):
    def change(proof):
        *way, last = path
        place = proof
        for step in way:
            place = place[step]
        place[last] = value

    return change


def _lose_line(proof):
    del proof["lines"][1]


def _raise_amount(proof):
    """A change that adds up everywhere: only the seal can tell."""
    entry = proof["lines"][0]["entry"]
    entry["available_change"] += 10
    for line in proof["lines"]:
        line["entry"]["available_after"] += 10
    proof["closing"]["available"] += 10


ALTERED = [
    ("reason changed", _set(("lines", 2, "entry", "related"), "clm_x"), "line 3 (seq 3"),
    ("amounts changed", _set(("lines", 1, "entry", "available_change"), -10), "line 2 (seq 2"),
    ("amounts changed, adding up", _raise_amount, "line 1 (seq 1"),
    ("line removed", _lose_line, "line 2 (seq 3"),
    ("closing changed", _set(("closing", "available"), 71), "closing: "),
    ("opening changed", _set(("opening", "available"), 1), "line 1 (seq 1"),
    ("path changed", _set(("lines", 0, "path", 0), "00" * 32), "line 1 (seq 1"),
    ("path cut", _set(("lines", 0, "path"), []), "line 1 (seq 1"),
    ("tree changed", _set(("blocks", 1, "tree"), "00" * 32), "block 2: its root"),
    ("count changed", _set(("blocks", 0, "entry_count"), 9), "block 1: its root"),
    ("another member", _set(("lines", 3, "entry", "member_id"), 10**9), "line 4 (seq 4"),
]


@pytest.mark.parametrize(("label", "change", "named"), ALTERED, ids=[case[0] for case in ALTERED])
def test_the_first_wrong_line_is_named(story, label, change, named):
    _, client, tmp_path = story
    proof = _proof(client)
    change(proof)
    answer = _check(tmp_path, proof)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert answer.stdout.startswith(f"WRONG  {named}")
    assert len(answer.stdout.splitlines()) == 1


def test_other_roots_than_the_published_are_refused(story):
    _, client, tmp_path = story
    kept = client.get("/credits/seals.json").json()
    kept["seals"][-1]["root"] = "11" * 32
    published = tmp_path / "seals.json"
    published.write_text(json.dumps(kept))
    answer = _check(tmp_path, _proof(client), "--published", published)
    assert answer.returncode == 1
    assert answer.stdout == "WRONG  block 1: its root is not the published one\n"


def test_what_is_no_proof_cannot_be_read(tmp_path):
    file = tmp_path / "proof.json"
    for text in ("", "[]", "{", '{"format": "apple-zone-statement-1"}'):
        file.write_text(text)
        assert _run(file).returncode == 2
    assert _run(tmp_path / "missing").returncode == 2


def test_the_program_is_open_to_all_and_the_statement_is_not(story):
    _, client, _ = story
    client.cookies.clear()
    assert client.get("/credits/verify_statement.py").content == SCRIPT.read_bytes()
    for name in ("statement", "statement.csv", "statement.pdf", "statement-proof.json"):
        assert client.get(f"/credits/{name}").status_code == 302
