import csv
import io
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.history.messages import bill, line, refund, user_id_of
from zone.core import clock
from zone.history.exporting import harmless, plain_amount
from zone.history.models import Charge
from zone.history.services.ingest import (
    BILL,
    Message,
    ingest_batch,
    ingest_bill,
    ingest_refund,
)

CN = "ALIPAY_CN"


def pay(member, **said):
    ingest_bill(wallet_code=CN, body=bill(user_id_of(member), **said))


@pytest.fixture
def statement(alice):
    """Five charges and a refund over two months."""
    pay(
        alice,
        bill_no="B1",
        value="3000",
        pay_time="2026-10-30T10:00:00+08:00",
        lines=[line("Chess Valley", "3000")],
    )
    pay(
        alice,
        bill_no="B2",
        value="2100",
        pay_time="2026-11-02T10:00:00+08:00",
        lines=[line("200GB", "2100", service="ICLOUD_PLUS", recurring=True)],
    )
    pay(
        alice,
        bill_no="B3",
        value="1500",
        pay_time="2026-11-02T23:30:00+08:00",
        outBillNo="MX-CHESS-NOT",
        lines=[
            line("INDIVIDUAL", "1100", service="APPLE_MUSIC", recurring=True),
            line("=HYPERLINK()", "400", no=2),
        ],
    )
    pay(alice, bill_no="B4", value="600", pay_time="2026-11-03T00:30:00+08:00")
    ingest_refund(
        wallet_code=CN,
        body=refund(
            user_id_of(alice), "B1", value="1000", refund_time="2026-11-05 09:00:00", refund_no="R1"
        ),
    )
    return alice  # fmt: skip


def names(page):
    return re.findall(r'class="row__link"[^>]*>([^<]+)<', page.content.decode())


def days(page):
    return re.findall(r'<h2 class="cap">([^<]+)<', page.content.decode())


ALL = ["Chess Valley", "Apple purchase", "Apple Music Individual and 1 more", "iCloud+ 200 GB",
       "Chess Valley"]  # fmt: skip


def test_rows_are_grouped_by_the_members_own_days(statement, sign_in):
    page = sign_in(statement).get("/activity")

    assert page.status_code == 200
    assert names(page) == ALL
    assert days(page) == ["Thu, Nov 5", "Tue, Nov 3", "Mon, Nov 2", "Fri, Oct 30"]
    assert "+¥10.00" in page.content.decode()
    assert page["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("kind=app", ["Apple Music Individual and 1 more", "Chess Valley"]),
        ("kind=subscription", ["Apple Music Individual and 1 more", "iCloud+ 200 GB"]),
        ("kind=refund", ["Chess Valley"]),
        ("month=2026-10", ["Chess Valley"]),
        ("month=2026-11", ALL[:4]),
        ("month=2026-11&kind=subscription",
         ["Apple Music Individual and 1 more", "iCloud+ 200 GB"]),
        ("q=chess", ["Chess Valley", "Apple Music Individual and 1 more", "Chess Valley"]),
        ("q=iCloud", ["iCloud+ 200 GB"]),
        ("q=icloud%2B+200+gb", ["iCloud+ 200 GB"]),
        ("q=individual", ["Apple Music Individual and 1 more"]),
        ("q=B4", ["Apple purchase"]),
        ("q=21", ["iCloud+ 200 GB"]),
        ("q=%C2%A521.00", ["iCloud+ 200 GB"]),
        ("q=chess&kind=refund", ["Chess Valley"]),
        ("q=nothing", []),
        ("kind=nonsense&month=2026-13", ALL),
        ("q=%00%25_", []),
    ],
)  # fmt: skip
def test_the_address_carries_the_filters(statement, sign_in, query, shown):
    assert names(sign_in(statement).get(f"/activity?{query}")) == shown


def test_another_members_rows_are_not_there(statement, bob, sign_in):
    client = sign_in(bob)
    charge = Charge.objects.get(bill_no="B2")

    assert names(client.get("/activity")) == []
    assert "No Apple charges yet" in client.get("/activity").content.decode()
    assert client.get(f"/activity/{charge.public_id}").status_code == 404
    assert b"200GB" not in b"".join(client.get("/activity/export").streaming_content)


@pytest.mark.parametrize("public_id", ["txn_NOPE", "mbr_01M7QCXF1DFSTT949H6ZKD73QN", "x",
                                       "txn_01M7QCXF1DFSTT949H6ZKD73QN"])  # fmt: skip
def test_what_is_not_a_transaction_is_not_found(statement, sign_in, public_id):
    assert sign_in(statement).get(f"/activity/{public_id}").status_code == 404


def test_paging_shows_every_row_once_in_order(alice, sign_in):
    user = user_id_of(alice)
    ingest_batch([
        Message(CN, BILL, bill(user, bill_no=f"B{number:03}", pay_time=f"2026-10-{day:02}T08:00:00Z",
                               lines=[line(f"Item {number:03}", "6800")]))
        for number, day in ((number, 1 + number // 4) for number in range(75))
    ])  # fmt: skip
    client = sign_in(alice)
    seen, query, partial = [], "", {}
    while True:
        page = client.get(f"/activity?{query}", headers=partial)
        seen += names(page)
        more = re.search(r'hx-get="\?([^"]+)"', page.content.decode())
        if not more:
            break
        query, partial = more[1].replace("&amp;", "&"), {"HX-Request": "true"}
        assert parse_qs(urlsplit(f"?{query}").query).keys() == {"before"}

    assert len(seen) == len(set(seen)) == 75
    assert {name[:4] for name in seen} == {"Item"}


def test_the_page_costs_a_fixed_number_of_queries(statement, sign_in, django_assert_num_queries):
    client = sign_in(statement)
    client.get("/activity")
    with django_assert_num_queries(7):  # member, bell, charges, refunds, lines, two for the chart
        client.get("/activity")
    user = user_id_of(statement)
    ingest_batch([Message(CN, BILL, bill(user, lines=[line("A", "6800")])) for _ in range(40)])
    with django_assert_num_queries(7):
        client.get("/activity")


def test_the_chart_speaks_in_words_and_as_a_table(statement, sign_in):
    text = sign_in(statement).get("/activity?month=2026-11").content.decode()

    assert "¥42.00" in text  # 21 + 15 + 6, paid in November
    assert "¥12.00 more than in Oct" in text
    assert "¥10.00 came back as refunds" in text
    for part in ("Subscriptions", "¥32.00", "Apps", "¥4.00", "Other", "¥6.00"):
        assert part in text
    table = re.search(r"<tbody>(.*?)</tbody>", text, re.S)[1]
    assert re.findall(r"¥[\d.]+", table) == [
        "¥0.00", "¥0.00", "¥0.00", "¥0.00", "¥30.00", "¥42.00",
    ]  # fmt: skip


def test_a_receipt_shows_lines_refunds_credits_and_numbers(statement, sign_in):
    charge = Charge.objects.get(bill_no="B1")
    Charge.objects.filter(id=charge.id).update(credited_at=clock.now(), credits_earned=30)

    text = sign_in(statement).get(f"/activity/{charge.public_id}").content.decode()

    for part in (
        "Chess Valley",
        "¥30.00",
        "¥10.00 refunded",
        "+¥10.00",
        "R1",
        "+30",
        'data-copy="B1"',
        'data-copy="MX0001"',
        "https://reportaproblem.apple.com/",
    ):
        assert part in text  # fmt: skip


def test_a_refund_leads_to_its_charge(statement, sign_in):
    charge = Charge.objects.get(bill_no="B1")
    refund_id = charge.refunds.get().public_id

    answer = sign_in(statement).get(f"/activity/{refund_id}")

    assert (answer.status_code, answer["Location"]) == (302, f"/activity/{charge.public_id}")


def test_a_refund_without_its_charge_has_a_receipt_of_its_own(alice, sign_in):
    receipt = ingest_refund(wallet_code=CN, body=refund(user_id_of(alice), "LATER", value="500"))

    text = sign_in(alice).get(f"/activity/{receipt.public_id}").content.decode()

    assert "Refund, waiting for its charge" in text
    assert "+¥5.00" in text


@pytest.mark.parametrize("path", ["/activity", "/activity/export", "/subscriptions"])
def test_without_a_member_the_door_is_closed(db, client, path):
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/welcome")


def exported(client, query=""):
    answer = client.get(f"/activity/export?{query}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment; ")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_export_has_the_rows_and_numbers_of_the_screen(statement, sign_in):
    client = sign_in(statement)

    header, *rows = exported(client)

    assert header[:3] == ["Date", "Time", "Type"]
    assert len(rows) == len(names(client.get("/activity"))) == 5
    assert [row[7] for row in rows] == ["-10.00", "6.00", "15.00", "21.00", "30.00"]
    assert rows[0] == ["2026-11-05", "09:00:00", "Refund", "Chess Valley", "In-app purchase", "B1",
                       "MX0001", "-10.00", "CNY"]  # fmt: skip
    assert len(exported(client, "kind=subscription&month=2026-11")) == 1 + 2


def test_a_title_that_is_a_formula_is_neutral(statement, sign_in):
    rows = exported(sign_in(statement), "q=HYPERLINK")

    assert rows[1][3] == "Apple Music Individual; =HYPERLINK()"
    for start in ("=", "+", "-", "@", "\t", "\r"):
        assert harmless(f"{start}1") == f"'{start}1"
    assert harmless("1=1") == "1=1"


def test_amounts_are_plain_in_each_currency():
    assert plain_amount(6805, "CNY") == "68.05"
    assert plain_amount(5, "CNY") == "0.05"
    assert plain_amount(6800, "JPY") == "6800"


def test_an_old_page_opens_at_its_month(statement, sign_in):
    long_ago = (clock.now() - timedelta(days=900)).strftime("%Y-%m")

    assert sign_in(statement).get(f"/activity?month={long_ago}").status_code == 200
