"""Credits wait for the return window; refunds cancel, take what is there, or make debt."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from credits import errors, ledger
from credits.models import EarnPolicy
from credits.queries import get_balance, list_entries
from credits.queries.pending import list_pending
from credits.services.earning import drain_earning
from tests.credits.conftest import broken, rows, standing, travel
from tests.credits.test_earning import USER_ID, give_back, pay
from tests.factories import make_member, sign_in
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.history.models import Charge, Refund


@pytest.fixture
def payer(db):
    return make_member(user_id=USER_ID)


def wait(days):
    return travel(timedelta(days=days))


def now() -> datetime:
    return database_now().replace(microsecond=0) - timedelta(minutes=1)


def test_a_purchase_is_pending_then_earned_once(client, payer):
    EarnPolicy.objects.create(name="two weeks", return_days=14)
    pay(6800, bill_no="P1", at=now())
    drain_earning()
    [pending] = list_pending(payer.pk)
    assert (pending.amount, get_balance(payer).available) == (68, 0)
    sign_in(client, payer)
    charge = Charge.objects.get()
    assert "Pending until" in client.get("/credits").content.decode()
    assert "Pending until" in client.get(f"/credits/why/{charge.public_id}").content.decode()
    assert drain_earning().matured == 0

    with wait(15):
        assert (drain_earning().matured, drain_earning().matured) == (1, 0)
        assert get_balance(payer).available == 68

    [line] = list_entries(payer)
    assert (line.op_id, line.related) == (charge.earn_op_id, charge.public_id)
    assert list_pending(payer.pk) == []


def test_a_refund_before_then_changes_no_balance(payer):
    EarnPolicy.objects.create(name="two weeks", return_days=14)
    pay(10000, bill_no="P2", at=now())
    drain_earning()
    before = standing(payer.pk)
    give_back(4000, bill_no="P2", refund_no="PR1")
    drain_earning()
    assert standing(payer.pk) == before
    assert list_pending(payer.pk)[0].amount == 60
    with wait(15):
        drain_earning()
        assert get_balance(payer).available == 60
        give_back(6000, bill_no="P2", refund_no="PR2")
        drain_earning()
        assert get_balance(payer).available == 0
    assert sorted(Refund.objects.values_list("credits_taken", flat=True)) == [40, 60]


def test_a_whole_refund_cancels_the_promise(payer):
    EarnPolicy.objects.create(name="two weeks", return_days=14)
    pay(10000, bill_no="P3", at=now())
    drain_earning()
    give_back(10000, bill_no="P3", refund_no="PR3")
    drain_earning()
    with wait(15):
        assert drain_earning().matured == 0
    assert list_entries(payer) == []


@pytest.mark.parametrize(
    ("policy", "available", "debt", "taken"),
    [("pending", 20, 0, 0), ("available", 0, 0, 20), ("debt", 0, 20, 40)],
)
def test_each_clawback_policy_does_what_it_says(payer, policy, available, debt, taken):
    EarnPolicy.objects.create(name=policy, clawback=policy)
    pay(10000, bill_no="P4", at=now())
    drain_earning()
    ledger.spend(member_id=payer.pk, op_id=uuid7(), amount=80)

    give_back(4000, bill_no="P4", refund_no="PR4")
    drain_earning()

    balance = get_balance(payer)
    assert (balance.available, balance.debt) == (available, debt)
    assert Refund.objects.get().credits_taken == taken


def test_down_to_zero_of_nothing_takes_nothing(payer):
    EarnPolicy.objects.create(name="zero", clawback="available")
    pay(5000, bill_no="P5", at=now())
    drain_earning()
    ledger.spend(member_id=payer.pk, op_id=uuid7(), amount=50)
    before = standing(payer.pk)
    give_back(5000, bill_no="P5", refund_no="PR5")
    drain_earning()
    assert standing(payer.pk) == before
    assert Refund.objects.get().credits_taken == 0


def test_a_closed_account_gets_no_promise_kept_and_the_others_do(payer):
    EarnPolicy.objects.create(name="two weeks", return_days=14)
    pay(5000, bill_no="P6", at=now())
    drain_earning()
    ledger.close(member_id=payer.pk, reason="left", actor="operator:test")
    with wait(15):
        assert drain_earning().matured == 1
    assert list_entries(payer) == []
    assert rows("SELECT state FROM ledger.pending_earn") == [(2,)]


def test_what_credits_paid_for_earns_no_credits(alice):
    before = standing(alice.pk)
    with pytest.raises(errors.ClosedLoop):
        ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=5, related="clm_01M6FS0PG0F99V2DA")
    assert standing(alice.pk) == before


GRANT = """
    SELECT code FROM ledger.earn(
        %s, %s, 5, NULL, 0::smallint, 15::smallint, 'benefit', %s, NULL
    )
"""


def test_a_free_claim_may_give_credits_and_a_paid_one_breaks_the_books(alice):
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=50)
    assert rows(GRANT, [alice.pk, uuid7(), "clm_FREE"]) == [("ok",)]
    assert broken() == []

    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=10, related="clm_PAID")
    with transaction.atomic():
        rows(GRANT, [alice.pk, uuid7(), "clm_PAID"])
        assert broken() == ["I36"]
        transaction.set_rollback(True)
