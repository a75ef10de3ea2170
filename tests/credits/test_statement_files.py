"""A statement as PDF adds up to its CSV, and a member with very many lines is served in pieces."""

import csv
import os
import re
import subprocess
import sys
from io import BytesIO, StringIO

import pytest
from django.conf import settings
from pypdf import PdfReader

from credits import ledger
from credits.kinds import Counter
from tests.factories import bind, make_member, sign_in
from zone.core.ids import uuid7

MANY = 50_000


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


# Each file once for a member of one line and once for the other, in a process of its own: what the
# process ever needed of memory is measured after each.
_MEASURE = """
import sys, resource, django; django.setup()
from zone.members.models import Member
from credits.queries.monthly import get_month, iterate_month, prove_month
from credits.statement_pdf import write_statement
from credits.views.monthly import _csv_lines
from zone.core.clock import database_now
first = database_now().date().replace(day=1)
for member in Member.objects.filter(pk__in=sys.argv[1:]).order_by("pk"):
    month = get_month(member, first)
    counts = [sum(1 for _ in _csv_lines(member, first)),
              sum(piece.count('"entry"') for piece in prove_month(member, first))]
    with open("/dev/null", "wb") as nothing:
        write_statement(nothing, member=member, month=month, lines=iterate_month(member, month))
    print(month.line_count, *counts, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_fifty_thousand_lines_in_a_month_take_bounded_memory(cloned_database, client):
    """Written past the ledger's verbs, for speed; the reading is what is measured."""
    small, large = make_member(), make_member()
    bind(large)
    for member in (small, large):
        ledger.earn(member_id=member.pk, op_id=uuid7(), amount=1)
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute(
            "INSERT INTO ledger.entry (member_id, op_id, posted_at, seq, available_change,"
            " held_change, debt_change, available_after, held_after, debt_after, day, kind, counter,"
            " alloc) SELECT member_id, ledger.op_at(posted_at, n::text), posted_at, n, 1, 0, 0, n, 0,"
            " 0, day, kind, 12, ARRAY[alloc[1], 1] FROM ledger.entry, generate_series(2, %s) n"
            " WHERE member_id = %s",
            [MANY, large.pk],
        )
        while owner.execute("SELECT ledger.seal_next(5000)").fetchone()[0] is not None:
            pass
    told = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(small.pk), str(large.pk)],
        env={**os.environ, **cloned_database.env, "DJANGO_SETTINGS_MODULE": "zone.settings"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    base, most = (list(map(int, line.split())) for line in told.stdout.splitlines())
    assert base[:3] == [1, 5, 1]
    assert most[:3] == [MANY, MANY + 4, MANY]
    # Megabytes; the lines of one answer alone are more than a hundred in Python.
    assert most[3] - base[3] < 64

    sign_in(client, large)
    page = client.get("/credits/statement").content.decode()
    assert page.count("Balance ") == 200
