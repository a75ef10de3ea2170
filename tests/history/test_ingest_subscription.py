import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.history.checks import checksums
from tests.history.messages import event, user_id_of
from zone.core import clock
from zone.history.models import PricePoint, RejectedMessage, Subscription, SubscriptionEvent
from zone.history.services.ingest import (
    SUBSCRIPTION,
    Message,
    Outcome,
    ingest_batch,
    ingest_subscription,
)
from zone.notices.models import Notice

CN = "ALIPAY_CN"


def tell(member, **said):
    return ingest_subscription(wallet_code=CN, body=event(user_id_of(member), **said))


@pytest.mark.parametrize(
    ("said", "status", "is_trial"),
    [
        ({"status": "1"}, "active", False),
        ({"status": 1, "renews": 1}, "active", False),
        ({"status": "1", "offerType": "1", "offerDiscountType": "FREE_TRIAL"}, "trial", True),
        ({"status": "1", "renews": "0"}, "cancel_scheduled", False),
        ({"status": "1", "renews": "0", "offerDiscountType": "FREE_TRIAL"},
         "cancel_scheduled", True),
        ({"status": "2", "renews": "0", "expirationIntent": "1"}, "expired", False),
        ({"status": "3"}, "retry", False),
        ({"status": "4"}, "grace", False),
        ({"status": "5"}, "revoked", False),
    ],
)  # fmt: skip
def test_apples_numbers_become_our_states(alice, said, status, is_trial):
    receipt = tell(alice, **said)

    row = Subscription.objects.get()
    assert receipt.outcome == Outcome.STORED
    assert receipt.public_id == row.public_id
    assert (row.status, row.is_trial) == (status, is_trial)
    assert (row.member, row.reference, row.service, row.plan) == (
        alice, "SUB-1", "apple_music", "INDIVIDUAL",
    )  # fmt: skip
    assert (row.price, row.currency, row.period) == (1100, "CNY", "P1M")
    assert row.period_ends_at == datetime(2026, 12, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "6"}, {"status": None}, {"autoRenewStatus": "2"}, {"eventId": ""},
        {"occurredAt": "now"}, {"expiresAt": None}, {"subscriptionRef": None},
        {"service": "a b"}, {"renewalPrice": {"currency": "HKD", "value": "1"}},
        {"renewalPrice": {"currency": "CNY", "value": "1.5"}}, {"userId": None},
    ],
)  # fmt: skip
def test_an_illegal_event_changes_nothing(alice, change):
    body = {**event(user_id_of(alice)), **change}

    assert ingest_subscription(wallet_code=CN, body=body).outcome == Outcome.ILLEGAL
    assert Subscription.objects.count() == SubscriptionEvent.objects.count() == 0


def test_a_repeat_is_a_duplicate_and_other_words_are_flagged(alice):
    tell(alice, event_id="E1")
    before = checksums()

    assert tell(alice, event_id="E1").outcome == Outcome.DUPLICATE
    assert checksums() == before
    assert tell(alice, event_id="E1", price="1200").outcome == Outcome.INCONSISTENT
    assert Subscription.objects.get().price == 1100
    assert RejectedMessage.objects.get().reason == "the same number with other facts"


def test_the_newest_event_wins_in_whatever_order_they_come(alice):
    user = user_id_of(alice)
    told = [
        event(user, event_id="E1", at="2026-06-02T00:00:00Z", ends="2026-07-02T00:00:00Z"),
        event(user, event_id="E2", at="2026-07-02T00:00:00Z", ends="2026-08-02T00:00:00Z",
              price="1300"),
        event(user, event_id="E3", at="2026-08-02T00:00:00Z", ends="2026-09-02T00:00:00Z",
              price="1300"),
        event(user, event_id="E4", at="2026-09-02T00:00:00Z", ends="2026-10-02T00:00:00Z",
              price="1500"),
        event(user, event_id="E5", at="2026-09-02T00:00:00Z", ends="2026-10-02T00:00:00Z",
              price="1500", renews="0"),
    ]  # fmt: skip
    random.Random(7).shuffle(told)
    for body in told:
        assert ingest_subscription(wallet_code=CN, body=body).outcome == Outcome.STORED

    row = Subscription.objects.get()
    assert (row.status, row.price, row.event_reference) == ("cancel_scheduled", 1500, "E5")
    assert row.started_at == datetime(2026, 6, 2, tzinfo=UTC)
    assert SubscriptionEvent.objects.count() == 5
    assert list(PricePoint.objects.values_list("price", "effective_at__month")) == [
        (1100, 6), (1300, 7), (1500, 9),
    ]  # fmt: skip


def test_one_batch_ends_where_single_messages_end(alice, bob):
    def told(member, ref):
        user = user_id_of(member)
        return [
            event(user, ref=ref, event_id=f"{ref}-{month}", at=f"2026-0{month}-02T00:00:00Z",
                  ends=f"2026-0{month + 1}-02T00:00:00Z", price=str(1000 + month // 3))
            for month in (3, 1, 4, 2, 5)
        ]  # fmt: skip

    ingest_batch([Message(CN, SUBSCRIPTION, body) for body in told(alice, "A")])
    for body in told(bob, "B"):
        ingest_subscription(wallet_code=CN, body=body)

    def facts(reference):
        row = Subscription.objects.get(reference=reference)
        prices = list(row.price_points.values_list("price", "effective_at"))
        return row.status, row.price, row.period, row.period_ends_at, row.started_at, prices

    assert facts("A") == facts("B")


def test_a_subscription_stays_with_its_user(alice, bob):
    tell(alice)
    before = Subscription.objects.values().get()

    assert tell(bob, at="2026-11-09T00:00:00Z").outcome == Outcome.INCONSISTENT
    assert Subscription.objects.values().get() == before


def test_a_yearly_period_is_learned_from_its_ends(alice):
    tell(alice, at="2025-11-02T00:00:00Z", ends="2026-11-02T00:00:00Z")

    assert Subscription.objects.get().period == "P1Y"


def test_an_event_of_an_unknown_user_is_unlinked(db):
    receipt = ingest_subscription(wallet_code=CN, body=event("2088000000000404"))

    assert receipt.outcome == Outcome.UNLINKED
    assert Subscription.objects.count() == 0


def test_a_fresh_price_rise_is_told_once(alice):
    now = clock.now()
    tell(alice, event_id="E1", at=now - timedelta(days=30), ends=now + timedelta(days=1))
    for _ in range(2):
        tell(
            alice,
            event_id="E2",
            at=now - timedelta(hours=1),
            ends=now + timedelta(days=31),
            price="1500",
        )
    tell(alice, event_id="E3", at=now, ends=now + timedelta(days=31), price="1200")

    notice = Notice.objects.get()
    assert (notice.member, notice.kind) == (alice, "price_rise")
    assert notice.facts == {
        "name": "Apple Music Individual",
        "old_amount": 1100,
        "new_amount": 1500,
        "currency": "CNY",
    }
    assert notice.link == f"/subscriptions/{Subscription.objects.get().public_id}"


def test_an_old_price_rise_rings_no_bell(alice):
    tell(alice, event_id="E1", at="2025-06-02T00:00:00Z")
    tell(alice, event_id="E2", at="2025-07-02T00:00:00Z", price="1500")

    assert Notice.objects.count() == 0
