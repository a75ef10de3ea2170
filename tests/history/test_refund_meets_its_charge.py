"""Messages about one bill from many connections at once: each counts once, nothing waits forever."""

from tests.factories import make_member
from tests.history.messages import bill, event, refund, user_id_of
from tests.threads import together
from zone.history.models import Charge, Refund, RefundKey, Subscription, SubscriptionEvent
from zone.history.services.ingest import ingest_bill, ingest_refund, ingest_subscription

CN = "ALIPAY_CN"


def counted(outcomes):
    return sorted(outcome.outcome.value for outcome in outcomes)


def test_one_bill_sent_by_eight_senders_is_one_charge(cloned_database):
    body = bill(user_id_of(make_member()), bill_no="B1")

    receipts = together([lambda: ingest_bill(wallet_code=CN, body=body)] * 8)

    assert counted(receipts) == ["duplicate"] * 7 + ["stored"]
    assert Charge.objects.count() == 1


def test_a_refund_and_its_charge_at_the_same_moment_always_meet(cloned_database):
    user = user_id_of(make_member())
    for number in range(12):
        charged = bill(user, bill_no=f"B{number}")
        back = refund(user, f"B{number}", value="1000", refund_no="R")
        receipts = together([
            lambda body=charged: ingest_bill(wallet_code=CN, body=body),
            lambda body=back: ingest_refund(wallet_code=CN, body=body),
        ])  # fmt: skip
        assert counted(receipts) == ["stored", "stored"]

    assert set(Refund.objects.values_list("state", flat=True)) == {"applied"}
    assert set(Charge.objects.values_list("refunded", flat=True)) == {1000}


def test_refunds_racing_for_the_last_of_a_charge_never_exceed_it(cloned_database):
    user = user_id_of(make_member())
    ingest_bill(wallet_code=CN, body=bill(user, bill_no="B1", value="5000"))

    receipts = together([
        lambda number=number: ingest_refund(
            wallet_code=CN, body=refund(user, "B1", value="1000", refund_no=f"R{number}"))
        for number in range(8)
    ])  # fmt: skip

    assert counted(receipts) == ["inconsistent"] * 3 + ["stored"] * 5
    assert Charge.objects.get().refunded == 5000
    assert (Refund.objects.count(), RefundKey.objects.count()) == (5, 5)


def test_events_racing_for_one_subscription_end_at_the_newest(cloned_database):
    user = user_id_of(make_member())
    told = [
        event(user, event_id=f"E{day}", at=f"2026-11-0{day}T00:00:00Z", price=str(1000 + day))
        for day in range(1, 9)
    ]

    receipts = together([
        lambda body=body: ingest_subscription(wallet_code=CN, body=body) for body in told
    ])  # fmt: skip

    assert counted(receipts) == ["stored"] * 8
    assert (Subscription.objects.get().price, SubscriptionEvent.objects.count()) == (1008, 8)
    assert Subscription.objects.get().price_points.count() == 8
