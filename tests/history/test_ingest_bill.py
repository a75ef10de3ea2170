from datetime import UTC, datetime

import pytest

from tests.history.checks import checksums
from tests.history.messages import bill, line, user_id_of
from zone.core.errors import NotFound
from zone.history.models import Charge, ChargeKey, ChargeLine, RejectedMessage, UnlinkedMessage
from zone.history.services.ingest import BILL, Message, Outcome, ingest_batch, ingest_bill

CN = "ALIPAY_CN"


def test_a_bill_becomes_a_charge_with_its_lines(alice):
    body = bill(
        user_id_of(alice),
        bill_no="HKB1",
        value="9800",
        lines=[
            line("2TB", "6800", service="ICLOUD_PLUS", recurring=True, ref="SUB-1"),
            line("Chess Valley", "3000", no=2),
        ],
    )

    receipt = ingest_bill(wallet_code=CN, body=body)

    charge = Charge.objects.get()
    assert receipt.outcome == Outcome.STORED
    assert receipt.public_id == charge.public_id
    assert charge.public_id.startswith("txn_")
    assert (charge.member, charge.wallet_id, charge.bill_no) == (alice, CN, "HKB1")
    assert (charge.amount, charge.currency, charge.refunded) == (9800, "CNY", 0)
    assert (charge.subscription_amount, charge.app_amount) == (6800, 3000)
    assert charge.paid_at == datetime(2026, 11, 2, 3, 4, 1, tzinfo=UTC)
    assert (charge.status, charge.has_sound_lines) == ("succeeded", True)
    assert (charge.credited_at, charge.credits_earned, charge.earn_op_id) == (None, None, None)
    lines = list(ChargeLine.objects.order_by("line_no").values_list("service", "title", "amount"))
    assert lines == [("icloud_plus", "2TB", 6800), ("in_app", "Chess Valley", 3000)]


def test_lines_may_be_absent(alice):
    ingest_bill(wallet_code=CN, body=bill(user_id_of(alice)))

    charge = Charge.objects.get()
    assert (charge.subscription_amount, charge.app_amount) == (0, 0)
    assert ChargeLine.objects.count() == 0


def test_lines_that_do_not_add_up_are_kept_and_not_counted(alice):
    body = bill(user_id_of(alice), value="6800", lines=[line("Chess Valley", "600")])

    assert ingest_bill(wallet_code=CN, body=body).outcome == Outcome.STORED

    charge = Charge.objects.get()
    assert charge.has_sound_lines is False
    assert (charge.subscription_amount, charge.app_amount) == (0, 0)
    assert ChargeLine.objects.get().amount == 600


@pytest.mark.parametrize(
    ("value", "amount"), [("6800", 6800), (6800, 6800), ("1", 1), (10**15, 10**15)]
)
def test_a_value_is_text_or_number(alice, value, amount):
    ingest_bill(wallet_code=CN, body=bill(user_id_of(alice), value=value))

    assert Charge.objects.get().amount == amount


def test_a_time_without_a_zone_is_east_of_greenwich_by_eight(alice):
    ingest_bill(wallet_code=CN, body=bill(user_id_of(alice), pay_time="2026-11-02 11:04:01"))

    assert Charge.objects.get().paid_at == datetime(2026, 11, 2, 3, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("label", "change", "where"),
    [
        ("no user", {"userId": None}, "userId"),
        ("empty user", {"userId": "  "}, "userId"),
        ("user is a number", {"userId": 2088}, "userId"),
        ("no bill number", {"billNo": ""}, "billNo"),
        ("no provider", {"pointsProvider": None}, "pointsProvider"),
        ("a NUL inside", {"billNo": "A\x00B"}, "billNo"),
        ("half a surrogate", {"billNo": "A\ud800"}, "billNo"),
        ("too long", {"billNo": "9" * 65}, "billNo"),
        ("no amount", {"orderAmount": None}, "orderAmount"),
        ("amount without currency", {"orderAmount": {"value": "5"}}, "orderAmount.currency"),
        ("yuan, not fen", {"orderAmount": {"currency": "CNY", "value": "12.50"}}, "value"),
        ("a float", {"orderAmount": {"currency": "CNY", "value": 12.0}}, "value"),
        ("negative", {"orderAmount": {"currency": "CNY", "value": "-600"}}, "value"),
        ("zero", {"orderAmount": {"currency": "CNY", "value": "0"}}, "value"),
        ("true", {"orderAmount": {"currency": "CNY", "value": True}}, "value"),
        ("spaces", {"orderAmount": {"currency": "CNY", "value": " 600"}}, "value"),
        ("other digits", {"orderAmount": {"currency": "CNY", "value": "６００"}}, "value"),
        ("endless", {"orderAmount": {"currency": "CNY", "value": "9" * 5000}}, "value"),
        ("above the most", {"orderAmount": {"currency": "CNY", "value": 10**15 + 1}}, "value"),
        ("other currency", {"orderAmount": {"currency": "USD", "value": "5"}}, "currency"),
        ("no time", {"payTime": None}, "payTime"),
        ("yesterday", {"payTime": "yesterday"}, "payTime"),
        ("a day only", {"payTime": "2026-11-02"}, "payTime"),
        ("no such day", {"payTime": "2026-02-30T00:00:00Z"}, "payTime"),
        ("before the App Store", {"payTime": "1999-01-01T00:00:00Z"}, "payTime"),
        ("lines are no list", {"lines": {}}, "lines"),
        ("a line is no object", {"lines": ["x"]}, "lines[0]"),
        ("a line without amount", {"lines": [{"service": "IN_APP"}]}, "amount"),
        ("a line twice", {"lines": [line("A", "1"), line("B", "1")]}, "lines"),
    ],
)  # fmt: skip
def test_an_illegal_bill_stores_nothing_but_its_refusal(alice, label, change, where):
    body = {**bill(user_id_of(alice)), **change}

    receipt = ingest_bill(wallet_code=CN, body=body)

    assert receipt.outcome == Outcome.ILLEGAL
    assert where in receipt.reason
    assert (
        Charge.objects.count() == ChargeKey.objects.count() == UnlinkedMessage.objects.count() == 0
    )
    kept = RejectedMessage.objects.get()
    assert (kept.outcome, kept.reason) == ("illegal", receipt.reason)
    assert user_id_of(alice) not in str(kept.body)


@pytest.mark.parametrize("body", [None, [], "text", 5, True])
def test_a_body_that_is_no_object_is_illegal(db, body):
    assert ingest_bill(wallet_code=CN, body=body).outcome == Outcome.ILLEGAL
    assert Charge.objects.count() == 0


def test_an_exact_repeat_is_a_duplicate_and_changes_nothing(alice):
    body = bill(user_id_of(alice))
    first = ingest_bill(wallet_code=CN, body=body)
    before = checksums()

    again = ingest_bill(wallet_code=CN, body=body)

    assert again.outcome == Outcome.DUPLICATE
    assert again.public_id == first.public_id
    assert checksums() == before


@pytest.mark.parametrize(
    "change",
    [
        {"orderAmount": {"currency": "CNY", "value": "6900"}},
        {"userId": "2088999999999999"},
        {"payTime": "2026-11-02T11:04:02+08:00"},
    ],
)
def test_the_same_number_with_other_facts_is_flagged_and_the_first_stays(alice, change):
    body = bill(user_id_of(alice))
    ingest_bill(wallet_code=CN, body=body)
    charge = Charge.objects.values().get()

    receipt = ingest_bill(wallet_code=CN, body={**body, **change})

    assert receipt.outcome == Outcome.INCONSISTENT
    assert Charge.objects.values().get() == charge
    assert RejectedMessage.objects.get().reference == body["billNo"]
    before = checksums()
    assert ingest_bill(wallet_code=CN, body={**body, **change}).outcome == Outcome.INCONSISTENT
    assert checksums() == before


def test_two_wallets_may_use_one_number(alice, hk_member):
    ingest_bill(wallet_code=CN, body=bill(user_id_of(alice), bill_no="SAME"))
    hk = bill(user_id_of(hk_member), bill_no="SAME", currency="HKD")

    assert ingest_bill(wallet_code="ALIPAY_HK", body=hk).outcome == Outcome.STORED
    assert Charge.objects.count() == 2


def test_an_unknown_user_is_kept_apart(db):
    receipt = ingest_bill(wallet_code=CN, body=bill("2088000000000404"))

    assert receipt.outcome == Outcome.UNLINKED
    assert Charge.objects.count() == 0
    kept = UnlinkedMessage.objects.get()
    assert kept.body["userId"] == "••••0404"
    assert (kept.expires_at - kept.received_at).days == 30


def test_one_batch_tells_every_outcome_apart(alice):
    good = bill(user_id_of(alice), bill_no="B1")
    stranger = bill("2088000000000404", bill_no="B2")
    bodies = [
        good,
        good,
        {**good, "orderAmount": {"currency": "CNY", "value": "1"}},
        {**good, "payTime": "?"},
        stranger,
        stranger,
        {**stranger, "orderAmount": {"currency": "CNY", "value": "1"}},
    ]

    receipts = ingest_batch([Message(CN, BILL, body) for body in bodies])

    assert [receipt.outcome.value for receipt in receipts] == [
        "stored", "duplicate", "inconsistent", "illegal", "unlinked", "duplicate", "inconsistent",
    ]  # fmt: skip
    assert Charge.objects.count() == 1


def test_an_unknown_wallet_is_not_found(db):
    with pytest.raises(NotFound):
        ingest_bill(wallet_code="NOBODY", body=bill("2088"))


def test_a_batch_costs_a_fixed_number_of_queries(alice, django_assert_num_queries):
    def batch(size):
        user = user_id_of(alice)
        return [Message(CN, BILL, bill(user, lines=[line("A", "6800")])) for _ in range(size)]

    ingest_batch(batch(1))
    small, large = batch(2), batch(200)
    with django_assert_num_queries(12):
        ingest_batch(small)
    with django_assert_num_queries(12):
        ingest_batch(large)
