"""A statement as PDF adds up to its CSV, and a member with very many lines is served in pieces."""

import csv
import re
import tracemalloc
from datetime import timedelta
from io import BytesIO, StringIO

import pytest
from pypdf import PdfReader

from credits import ledger
from credits.kinds import Counter
from credits.queries.monthly import get_month, iterate_month
from credits.statement_pdf import write_statement
from tests.credits.conftest import rows, travel
from tests.factories import sign_in
from zone.core.clock import database_now
from zone.core.ids import uuid7

MANY = 50_000
MEGABYTE = 2**20


def _table(client, address="/credits/statement.csv"):
    text = client.get(address).getvalue().decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text)))


def _pages(data):
    return [page.extract_text() for page in PdfReader(BytesIO(data)).pages]


@pytest.fixture
def signed_in(client, alice):
    sign_in(client, alice)
    for number in range(130):
        op = uuid7()
        if number % 5 == 4:
            ledger.spend(member_id=alice.pk, op_id=op, amount=7)
        else:
            ledger.earn(member_id=alice.pk, op_id=op, amount=11, counter=Counter.CHECK_IN)
    return client


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Opening balance", "Daily check-in", "Benefit", "Closing balance")),
        ("zh-hans", ("积分：月度对账单", "期初余额", "每日签到", "福利", "期末余额")),
    ],
)
def test_the_pdf_adds_up_to_the_csv(signed_in, alice, language, words):
    alice.language = language
    alice.save(update_fields=["language"])
    answer = signed_in.get("/credits/statement.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    pages = _pages(answer.getvalue())
    text = "\n".join(pages)
    assert len(pages) == 4
    for word in words:
        assert word in text
    assert alice.public_id in text

    table = _table(signed_in)
    changes = [int(row["change"]) for row in table if row["change"]]
    shown = [int(word) for word in re.findall(r"(?m)^([+-]\d+)$", text)]
    # The last two are the sums of what was added and of what was taken.
    assert shown[:-2] == changes
    assert shown[-2:] == [sum(c for c in changes if c > 0), sum(c for c in changes if c < 0)]
    opening, closing = int(table[0]["balance"]), int(table[-1]["balance"])
    assert opening + sum(shown[-2:]) == opening + sum(changes) == closing
    assert re.search(rf"(?m)^{closing}$", pages[-1])


def test_an_empty_month_is_a_document_too(client, alice):
    sign_in(client, alice)
    [page] = _pages(client.get("/credits/statement.pdf").getvalue())
    assert "Closing balance" in page


def test_a_streamed_file_keeps_the_language_of_its_reader(signed_in, alice):
    alice.language = "zh-hans"
    alice.save(update_fields=["language"])
    assert {row["what"] for row in _table(signed_in)} == {"", "每日签到", "福利"}


def test_the_page_goes_on_from_line_to_line(signed_in, alice):
    for _ in range(100):
        ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=1)
    first = signed_in.get("/credits/statement").content.decode()
    assert "Opening balance" in first
    assert "Closing balance" not in first
    [link] = re.findall(r'href="(\?month=[^"]*after=\d+)"', first)
    second = signed_in.get("/credits/statement" + link.replace("&amp;", "&")).content.decode()
    assert "Opening balance" not in second
    assert "Closing balance" in second
    assert len(re.findall("Balance ", first)) + len(re.findall("Balance ", second)) == 230
    for wrong in ("x", "-1", "99999999999"):
        assert signed_in.get("/credits/statement", {"after": wrong}).status_code == 404


def test_fifty_thousand_lines_in_a_month_take_bounded_memory(cloned_database, client):
    """Written past the ledger's verbs, for speed; the reading is what is measured."""
    from tests.factories import bind, make_member

    alice = make_member()
    bind(alice)
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=1)
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute(
            "INSERT INTO ledger.entry (member_id, op_id, posted_at, seq, available_change,"
            " held_change, debt_change, available_after, held_after, debt_after, day, kind, counter,"
            " alloc) SELECT member_id, ledger.op_at(posted_at, n::text), posted_at, n, 1, 0, 0, n, 0,"
            " 0, day, kind, 12, ARRAY[alloc[1], 1] FROM ledger.entry, generate_series(2, %s) n",
            [MANY],
        )
        owner.execute(
            "UPDATE ledger.account SET seq = %s, available = %s, bucket_left = ARRAY[%s]",
            [MANY, MANY, MANY],
        )
        while owner.execute("SELECT ledger.seal_next(5000)").fetchone()[0] is not None:
            pass
    sign_in(client, alice)
    client.get("/credits/statement")  # What is loaded once is not the statement's.

    tracemalloc.start()
    try:
        for name, lines in (
            ("statement", 200), ("statement.csv", MANY + 3), ("statement-proof.json", MANY),
        ):  # fmt: skip
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            answer = client.get(f"/credits/{name}")
            pieces = answer.streaming_content if answer.streaming else [answer.content]
            found = sum(piece.count(b"\n") for piece in pieces)
            assert found >= lines, name
            assert tracemalloc.get_traced_memory()[1] - before < 24 * MEGABYTE, name
    finally:
        tracemalloc.stop()
    month = get_month(alice, database_now().date().replace(day=1))
    assert sum(1 for _line in iterate_month(alice, month)) == MANY
    with open("/dev/null", "wb") as nothing, travel(timedelta(0)):
        tracemalloc.start()
        write_statement(nothing, member=alice, month=month, lines=iterate_month(alice, month))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 64 * MEGABYTE
    assert rows("SELECT count(*) FROM ledger.seal") == [((MANY + 4999) // 5000,)]
