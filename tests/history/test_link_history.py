from datetime import timedelta

from tests.factories import make_member
from tests.history.checks import checksums
from tests.history.messages import bill, event, refund
from zone.core import clock
from zone.history.models import (
    Charge,
    ChargeKey,
    Refund,
    RefundKey,
    Subscription,
    SubscriptionEvent,
    SubscriptionEventKey,
    UnlinkedMessage,
)
from zone.history.services.ingest import (
    Outcome,
    ingest_bill,
    ingest_refund,
    ingest_subscription,
)
from zone.history.services.linking import link_history, link_waiting, purge_unlinked

CN = "ALIPAY_CN"
USER = "2088000000000777"


def send_all():
    """A charge refunded in part, its refund first, and two subscription events."""
    return [
        ingest_refund(wallet_code=CN, body=refund(USER, "B1", value="800", refund_no="R1")),
        ingest_bill(wallet_code=CN, body=bill(USER, bill_no="B1", value="6800")),
        ingest_subscription(wallet_code=CN, body=event(USER, event_id="E1")),
        ingest_subscription(
            wallet_code=CN,
            body=event(USER, event_id="E2", at="2026-11-09T00:00:00Z", renews="0"),
        ),
    ]


def test_messages_wait_for_their_user_and_become_history(db):
    assert {receipt.outcome for receipt in send_all()} == {Outcome.UNLINKED}
    member = make_member(user_id=USER)

    assert link_history(member) == 4

    charge = Charge.objects.get()
    assert (charge.member, charge.amount, charge.refunded) == (member, 6800, 800)
    assert Refund.objects.get().state == "applied"
    assert (Subscription.objects.get().status, SubscriptionEvent.objects.count()) == (
        "cancel_scheduled", 2,
    )  # fmt: skip
    assert UnlinkedMessage.objects.count() == 0
    assert {receipt.outcome for receipt in send_all()} == {Outcome.DUPLICATE}


def test_linking_twice_changes_nothing(db):
    send_all()
    member = make_member(user_id=USER)
    link_history(member)
    before = checksums()

    assert (link_history(member), link_waiting()) == (0, 0)
    assert checksums() == before


def test_the_sweep_finds_members_that_came_some_other_way(db):
    send_all()
    assert link_waiting() == 0
    make_member(user_id=USER)

    assert link_waiting() == 4
    assert Charge.objects.count() == 1


def test_an_unlinked_repeat_is_a_duplicate_and_another_amount_is_flagged(db):
    send_all()
    before = checksums()

    assert {receipt.outcome for receipt in send_all()} == {Outcome.DUPLICATE}
    assert checksums() == before
    other = ingest_bill(wallet_code=CN, body=bill(USER, bill_no="B1", value="1"))
    assert other.outcome == Outcome.INCONSISTENT


def test_an_unlinked_refund_that_exceeds_its_charge_is_flagged(db):
    ingest_bill(wallet_code=CN, body=bill(USER, bill_no="B1", value="100"))

    receipt = ingest_refund(wallet_code=CN, body=refund(USER, "B1", value="101"))

    assert receipt.outcome == Outcome.INCONSISTENT
    assert UnlinkedMessage.objects.count() == 1


def test_somebody_elses_messages_stay(db):
    send_all()
    stranger = make_member()

    assert link_history(stranger) == 0
    assert UnlinkedMessage.objects.count() == 4


def test_after_thirty_days_message_and_key_go(db):
    send_all()
    assert purge_unlinked() == 0
    UnlinkedMessage.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert purge_unlinked() == 4

    counts = [model.objects.count() for model in
              (UnlinkedMessage, ChargeKey, RefundKey, SubscriptionEventKey)]  # fmt: skip
    assert counts == [0, 0, 0, 0]
    assert {receipt.outcome for receipt in send_all()} == {Outcome.UNLINKED}
