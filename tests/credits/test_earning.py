"""Purchases earn by the rule table, once; refunds take back their share."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from credits import ledger, rules
from credits.kinds import AccountStatus, Kind
from credits.models import EarnRule
from credits.queries import get_balance, list_entries
from credits.services.earning import drain_earning, earn_preview
from tests.factories import make_member
from zone.core.ids import uuid7
from zone.core.models import StuckRow
from zone.history.models import Charge, Refund
from zone.history.services.ingest import ingest_bill, ingest_refund
from zone.history.services.linking import link_history

PAID_AT = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)
USER_ID = "2088000000007001"


def pay(amount: int, *, bill_no: str, user_id: str = USER_ID, at: datetime = PAID_AT) -> None:
    receipt = ingest_bill(
        wallet_code="ALIPAY_CN",
        body={
            "userId": user_id,
            "billNo": bill_no,
            "merchantName": "APPLE.COM/BILL",
            "orderAmount": {"currency": "CNY", "value": str(amount)},
            "payTime": at.isoformat(),
            "pointsProvider": "ALIPAYCN",
        },
    )
    assert receipt.outcome in ("stored", "duplicate", "unlinked"), receipt


def give_back(amount: int, *, bill_no: str, refund_no: str, at: datetime = PAID_AT) -> None:
    receipt = ingest_refund(
        wallet_code="ALIPAY_CN",
        body={
            "userId": USER_ID,
            "relateBillNo": bill_no,
            "refundOutBillNo": refund_no,
            "refundAmount": {"currency": "CNY", "value": str(amount)},
            "refundTime": (at + timedelta(days=2)).isoformat(),
            "pointsProvider": "ALIPAYCN",
        },
    )
    assert receipt.outcome == "stored", receipt


@pytest.fixture
def payer(db):
    return make_member(user_id=USER_ID)


@pytest.mark.parametrize(
    ("label", "currency", "amount", "earned"),
    [
        ("whole yuan", "CNY", 6800, 68),
        ("the fen are dropped", "CNY", 6899, 68),
        ("under one yuan earns nothing", "CNY", 99, 0),
        ("Hong Kong dollars", "HKD", 4800, 48),
        ("ten pesos are one credit", "PHP", 14900, 14),
        ("nine pesos are none", "PHP", 999, 0),
        ("no rule, no credits", "KRW", 5000, 0),
    ],
)
def test_what_a_purchase_is_worth(db, label, currency, amount, earned):
    assert earn_preview(amount=amount, currency=currency, at=PAID_AT) == earned


@pytest.mark.parametrize(
    ("rounding", "amount", "earned"),
    [("down", 250, 2), ("up", 201, 3), ("nearest", 250, 3), ("nearest", 249, 2)],
)
def test_rounding_of_a_rule(rounding, amount, earned):
    rule = EarnRule(currency="CNY", unit_amount=100, credits=1, rounding=rounding)
    assert rules.credits_by(rule, amount) == earned


def test_only_the_rule_that_gives_most_counts_and_only_in_its_window(db):
    EarnRule.objects.create(
        name="Double November",
        currency="CNY",
        unit_amount=100,
        credits=2,
        starts_at=datetime(2026, 11, 1, tzinfo=UTC),
        ends_at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    assert earn_preview(amount=6800, currency="CNY", at=PAID_AT) == 136
    assert earn_preview(amount=6800, currency="CNY", at=datetime(2026, 12, 1, tzinfo=UTC)) == 68


def test_a_charge_earns_once_and_says_so(payer):
    pay(6899, bill_no="E1")
    pay(6899, bill_no="E1")

    assert (drain_earning().charges, drain_earning().charges) == (1, 0)

    charge = Charge.objects.get()
    [line] = list_entries(payer)
    assert (charge.credits_earned, charge.earn_op_id) == (68, line.op_id)
    assert (line.kind, line.amount, line.related) == (Kind.EARN, 68, charge.public_id)
    assert line.occurred_at == PAID_AT
    assert get_balance(payer).available == 68


def test_a_charge_worth_nothing_is_looked_at_once(payer):
    pay(99, bill_no="E2")

    assert (drain_earning().charges, drain_earning().charges) == (1, 0)

    charge = Charge.objects.get()
    assert (charge.credits_earned, charge.earn_op_id) == (0, None)
    assert list_entries(payer) == []


def test_charges_linked_later_earn_when_linked(db):
    pay(3000, bill_no="E3")
    assert drain_earning().is_empty
    member = make_member(user_id=USER_ID)
    link_history(member)

    drain_earning()

    assert get_balance(member).available == 30


def test_refunds_take_back_their_share_rounded_up_and_no_more(payer):
    pay(10000, bill_no="E4")
    drain_earning()
    give_back(3333, bill_no="E4", refund_no="R1")
    drain_earning()
    assert get_balance(payer).available == 66  # 33.33 is owed, 34 taken
    give_back(3333, bill_no="E4", refund_no="R2")
    give_back(3334, bill_no="E4", refund_no="R3")

    drain_earning()

    assert list(Refund.objects.order_by("refund_no").values_list("credits_taken", flat=True)) == [
        34,
        33,
        33,
    ]
    assert get_balance(payer).available == 0
    assert [line.amount for line in list_entries(payer)] == [-33, -33, -34, 100]


def test_a_refund_of_spent_credits_becomes_debt_which_the_next_purchase_repays(payer):
    pay(5000, bill_no="E5")
    drain_earning()
    ledger.spend(member_id=payer.pk, op_id=uuid7(), amount=40)
    give_back(5000, bill_no="E5", refund_no="R4")
    drain_earning()
    assert (get_balance(payer).available, get_balance(payer).debt) == (0, 40)

    pay(6000, bill_no="E6")
    drain_earning()

    balance = get_balance(payer)
    assert (balance.available, balance.debt) == (20, 0)
    assert list_entries(payer)[0].repaid == 40


def test_a_frozen_member_still_earns_what_is_owed(payer):
    ledger.freeze(member_id=payer.pk, reason="check", actor="operator:test")
    pay(2500, bill_no="E7")

    drain_earning()

    balance = get_balance(payer)
    assert (balance.available, balance.status) == (25, AccountStatus.FROZEN)


def test_a_closed_account_earns_nothing_and_the_drain_goes_on(payer):
    ledger.close(member_id=payer.pk, reason="left", actor="operator:test")
    pay(2500, bill_no="E8")

    assert (drain_earning().charges, drain_earning().charges) == (1, 0)

    assert Charge.objects.get().credits_earned == 0
    assert get_balance(payer).available == 0


@pytest.mark.stuck
def test_an_account_that_can_hold_no_more_does_not_stop_everybody_elses(payer):
    other = make_member(user_id="2088000000007002")
    ledger.earn(member_id=payer.pk, op_id=uuid7(), amount=ledger.AMOUNT_MAX)
    pay(3000, bill_no="E9")
    pay(3000, bill_no="E10", user_id="2088000000007002")

    assert (drain_earning().charges, drain_earning().charges) == (1, 0)

    assert get_balance(other).available == 30
    (stuck,) = StuckRow.objects.all()
    assert (stuck.work, stuck.error) == (
        "charges",
        "BalanceTooLarge: An account cannot hold that many credits.",
    )
    assert Charge.objects.get(credited_at=None).id == UUID(stuck.row)


def test_a_first_import_is_posted_when_it_was_paid(payer):
    last_year = PAID_AT - timedelta(days=300)
    pay(1000, bill_no="E9", at=last_year)
    pay(2000, bill_no="E10", at=last_year + timedelta(days=30))

    drain_earning(is_backdated=True)

    assert [(line.amount, line.posted_at) for line in list_entries(payer)] == [
        (20, last_year + timedelta(days=30)),
        (10, last_year),
    ]
