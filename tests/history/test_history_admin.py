import pytest
from django.test import Client

from tests.factories import make_operator, sign_in_operator
from tests.history.messages import bill, event, line, refund, user_id_of
from zone.history.models import Charge, RejectedMessage, Subscription
from zone.history.services.ingest import ingest_bill, ingest_refund, ingest_subscription

CN = "ALIPAY_CN"
MODELS = ("charge", "refund", "subscription", "unlinkedmessage", "rejectedmessage")


@pytest.fixture
def console(db):
    def console(role):
        client = Client()
        sign_in_operator(client, make_operator(role))
        return client

    return console


@pytest.fixture
def charge(alice):
    user = user_id_of(alice)
    body = bill(user, bill_no="BILL-7", lines=[line("Chess Valley", "6800")])
    ingest_bill(wallet_code=CN, body=body)
    ingest_bill(wallet_code=CN, body={**body, "payTime": "?"})
    ingest_bill(wallet_code=CN, body=bill("2088000000000404"))
    ingest_refund(wallet_code=CN, body=refund(user, "BILL-7", value="800"))
    ingest_subscription(wallet_code=CN, body=event(user))
    return Charge.objects.get()


@pytest.mark.parametrize("model", MODELS)
def test_support_reads_and_nobody_edits(console, charge, model):
    client = console("support")
    page = client.get(f"/console/history/{model}/")

    assert page.status_code == 200
    assert "1 " in page.content.decode()
    assert client.get(f"/console/history/{model}/add/").status_code == 403


def test_a_charge_shows_its_lines_and_refunds(console, charge):
    text = console("support").get(f"/console/history/charge/{charge.pk}/change/").content.decode()

    for part in (charge.public_id, "Chess Valley", "BILL-7", "¥8.00"):
        assert part in text
    assert 'name="_save"' not in text


@pytest.mark.parametrize("how", ["txn", "mbr", "bill", "other"])
def test_charges_are_found_by_what_people_paste(console, charge, bob, how):
    ingest_bill(wallet_code=CN, body=bill(user_id_of(bob), bill_no="BILL-8"))
    term = {"txn": charge.public_id, "mbr": charge.member.public_id, "bill": "BILL-7",
            "other": "nothing"}[how]  # fmt: skip

    text = console("support").get("/console/history/charge/", {"q": term}).content.decode()

    assert (charge.public_id in text) == (how != "other")
    assert Charge.objects.get(bill_no="BILL-8").public_id not in text


def test_a_subscription_shows_its_events(console, charge):
    row = Subscription.objects.get()

    text = console("support").get(f"/console/history/subscription/{row.pk}/change/")

    assert row.public_id.encode() in console("support").get(
        "/console/history/subscription/", {"q": "SUB-1"}
    ).content  # fmt: skip
    assert b"EVT" in text.content


def test_a_refused_message_leaves_the_board_when_reviewed(console, charge):
    message = RejectedMessage.objects.get()
    send = {"action": "mark_reviewed", "_selected_action": [message.pk]}

    console("support").post("/console/history/rejectedmessage/", send)
    assert RejectedMessage.objects.get().reviewed_at is None
    console("finance").post("/console/history/rejectedmessage/", send)

    message.refresh_from_db()
    assert message.reviewed_by.startswith("operator:finance")
    assert message.reviewed_at is not None


def test_the_list_never_counts_everything(console, charge, django_assert_max_num_queries):
    client = console("support")
    client.get("/console/history/charge/")
    with django_assert_max_num_queries(14) as seen:
        client.get("/console/history/charge/")
    counts = [query["sql"] for query in seen.captured_queries if "COUNT(" in query["sql"]]
    assert all("LIMIT" in statement for statement in counts)
