from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import make_member
from tests.history.checks import checksums
from tests.history.messages import bill, line, refund, user_id_of
from zone.core import clock
from zone.history.models import Charge, Refund, RefundKey, RejectedMessage
from zone.history.services.ingest import (
    BILL,
    REFUND,
    Message,
    Outcome,
    ingest_batch,
    ingest_bill,
    ingest_refund,
)
from zone.notices.models import Notice

CN = "ALIPAY_CN"


def pay(member, value="6800", bill_no="B1", **more):
    ingest_bill(wallet_code=CN, body=bill(user_id_of(member), bill_no=bill_no, value=value, **more))
    return Charge.objects.get(bill_no=bill_no)


def give_back(member, value="6800", bill_no="B1", **more):
    return ingest_refund(
        wallet_code=CN, body=refund(user_id_of(member), bill_no, value=value, **more)
    )


def test_a_refund_raises_the_refunded_sum_of_its_charge(alice):
    charge = pay(alice)

    receipt = give_back(alice, value="1800", refund_no="R1")

    charge.refresh_from_db()
    row = Refund.objects.get()
    assert receipt.outcome == Outcome.STORED
    assert (charge.refunded, charge.is_refunded) == (1800, False)
    assert (row.state, row.charge, row.member, row.amount) == ("applied", charge, alice, 1800)
    assert row.refunded_at == datetime(2026, 11, 5, 1, 30, tzinfo=UTC)
    assert row.public_id.startswith("txn_")


def test_refunds_add_up_to_the_whole_charge_and_not_further(alice):
    charge = pay(alice)
    give_back(alice, value="6000", refund_no="R1")
    give_back(alice, value="800", refund_no="R2")

    receipt = give_back(alice, value="1", refund_no="R3")

    charge.refresh_from_db()
    assert receipt.outcome == Outcome.INCONSISTENT
    assert (charge.refunded, charge.is_refunded) == (6800, True)
    assert Refund.objects.count() == 2
    assert RejectedMessage.objects.get().reason == "the refunds would exceed the charge"


@pytest.mark.parametrize("refund_no", ["R1", ""])
def test_an_exact_repeat_is_a_duplicate_and_changes_nothing(alice, refund_no):
    pay(alice)
    give_back(alice, value="1800", refund_no=refund_no)
    before = checksums()

    assert give_back(alice, value="1800", refund_no=refund_no).outcome == Outcome.DUPLICATE
    assert checksums() == before


def test_without_a_number_another_time_or_amount_is_another_refund(alice):
    charge = pay(alice)
    for value, time in [("100", "2026-11-05 09:30:00"), ("100", "2026-11-05 09:30:01"),
                        ("101", "2026-11-05 09:30:00")]:  # fmt: skip
        assert give_back(alice, value=value, refund_time=time).outcome == Outcome.STORED

    charge.refresh_from_db()
    assert charge.refunded == 301


def test_the_same_number_with_another_amount_is_flagged(alice):
    charge = pay(alice)
    give_back(alice, value="1800", refund_no="R1")

    assert give_back(alice, value="1801", refund_no="R1").outcome == Outcome.INCONSISTENT
    charge.refresh_from_db()
    assert charge.refunded == 1800


def test_a_refund_for_somebody_elses_charge_is_flagged(alice, bob):
    charge = pay(alice)

    assert give_back(bob, value="100").outcome == Outcome.INCONSISTENT
    charge.refresh_from_db()
    assert (charge.refunded, Refund.objects.count(), RefundKey.objects.count()) == (0, 0, 0)


def test_a_refund_before_its_charge_waits_and_is_applied(alice):
    assert give_back(alice, value="1800", refund_no="R1").outcome == Outcome.STORED
    assert Refund.objects.get().state == "parked"

    charge = pay(alice)

    row = Refund.objects.get()
    assert (row.state, row.charge, charge.refunded) == ("applied", charge, 1800)


def test_refund_and_charge_meet_inside_one_batch(alice):
    user = user_id_of(alice)
    receipts = ingest_batch(
        [
            Message(CN, REFUND, refund(user, "B1", value="1000", refund_no="R1")),
            Message(CN, BILL, bill(user, bill_no="B1", value="3000")),
            Message(CN, REFUND, refund(user, "B1", value="2000", refund_no="R2")),
            Message(CN, REFUND, refund(user, "B1", value="1", refund_no="R3")),
        ]
    )

    assert [receipt.outcome.value for receipt in receipts] == [
        "stored", "stored", "stored", "inconsistent",
    ]  # fmt: skip
    assert Charge.objects.get().refunded == 3000


def test_parked_refunds_that_exceed_the_charge_are_refused_and_flagged(alice):
    give_back(alice, value="5000", refund_no="R1", refund_time="2026-11-05 09:30:00")
    give_back(alice, value="2000", refund_no="R2", refund_time="2026-11-06 09:30:00")

    charge = pay(alice, value="6000")

    states = dict(Refund.objects.values_list("refund_no", "state"))
    assert (states, charge.refunded) == ({"R1": "applied", "R2": "refused"}, 5000)
    assert RejectedMessage.objects.get().reason == "came before its charge and exceeds it"
    # What was refused does not use up the room.
    assert give_back(alice, value="1000", refund_no="R3").outcome == Outcome.STORED
    charge.refresh_from_db()
    assert charge.refunded == 6000


def test_a_parked_refund_of_another_user_is_refused(alice, bob):
    give_back(bob, value="100", refund_no="R1")

    charge = pay(alice)

    assert (Refund.objects.get().state, charge.refunded) == ("refused", 0)


@pytest.mark.parametrize("change", [{"relateBillNo": None}, {"refundTime": "soon"},
                                    {"refundAmount": {"currency": "CNY", "value": "0"}},
                                    {"pointsProvider": ""}])  # fmt: skip
def test_an_illegal_refund_changes_nothing(alice, change):
    charge = pay(alice)

    receipt = ingest_refund(wallet_code=CN, body={**refund(user_id_of(alice), "B1"), **change})

    charge.refresh_from_db()
    assert receipt.outcome == Outcome.ILLEGAL
    assert (charge.refunded, Refund.objects.count()) == (0, 0)


def test_fresh_money_back_is_told_once_and_old_is_not(alice):
    pay(alice, lines=[line("2TB", "6800", service="ICLOUD_PLUS")])
    an_hour_ago = clock.now() - timedelta(hours=1)
    give_back(alice, value="800", refund_no="R1", refund_time=an_hour_ago.isoformat())
    give_back(alice, value="800", refund_no="R1", refund_time=an_hour_ago.isoformat())
    long_ago = clock.now() - timedelta(days=8)
    give_back(alice, value="700", refund_no="R2", refund_time=long_ago.isoformat())

    notice = Notice.objects.get()
    assert (notice.member, notice.kind) == (alice, "charge_refunded")
    assert notice.facts == {"amount": 800, "currency": "CNY", "name": "iCloud+ 2 TB"}


def test_a_refund_of_an_unknown_user_is_unlinked(db):
    member = make_member()
    charge = pay(member)

    receipt = ingest_refund(wallet_code=CN, body=refund("2088000000000404", "OTHER"))

    charge.refresh_from_db()
    assert (receipt.outcome, charge.refunded) == (Outcome.UNLINKED, 0)
