from threading import Barrier
from uuid import uuid4

import pytest
from django.db import transaction

from tests.factories import make_member
from tests.history.messages import bill, refund, user_id_of
from tests.threads import together
from zone.core import clock
from zone.history.models import Charge, Refund
from zone.history.queries import list_uncredited_charges, list_uncredited_refunds
from zone.history.services.crediting import (
    AlreadyCredited,
    EarnedCharge,
    TakenRefund,
    mark_charges_credited,
    mark_refunds_credited,
)
from zone.history.services.ingest import ingest_bill, ingest_refund

CN = "ALIPAY_CN"


def pay(member, bill_no, month):
    body = bill(user_id_of(member), bill_no=bill_no, pay_time=f"2026-{month:02d}-02T11:00:00+08:00")
    ingest_bill(wallet_code=CN, body=body)
    return Charge.objects.get(bill_no=bill_no)


def test_charges_come_oldest_first_and_leave_when_marked(alice):
    late, early = pay(alice, "B2", 11), pay(alice, "B1", 9)
    op_id, now = uuid4(), clock.now()
    found = list_uncredited_charges(10)
    assert found == [early, late]
    assert found[0].member.wallet.code == CN

    mark_charges_credited([EarnedCharge(early.id, 68, op_id)], at=now)

    early.refresh_from_db()
    assert (early.credited_at, early.credits_earned, early.earn_op_id) == (now, 68, op_id)
    assert list_uncredited_charges(10) == [late]
    assert list_uncredited_charges(0) == []


def test_a_charge_is_marked_once(alice):
    charge = pay(alice, "B1", 11)
    mark_charges_credited([EarnedCharge(charge.id, 68, uuid4())], at=clock.now())

    with pytest.raises(AlreadyCredited), transaction.atomic():
        mark_charges_credited([EarnedCharge(charge.id, 99, uuid4())], at=clock.now())

    charge.refresh_from_db()
    assert charge.credits_earned == 68


def test_a_charge_may_earn_nothing(alice):
    charge = pay(alice, "B1", 11)

    mark_charges_credited([EarnedCharge(charge.id, 0, None)], at=clock.now())

    assert list_uncredited_charges(10) == []


def test_a_refund_waits_for_its_charge_to_be_credited(alice):
    charge = pay(alice, "B1", 10)
    ingest_refund(wallet_code=CN, body=refund(user_id_of(alice), "B1", value="800"))
    ingest_refund(wallet_code=CN, body=refund(user_id_of(alice), "NOT-YET", value="800"))
    assert list_uncredited_refunds(10) == []

    mark_charges_credited([EarnedCharge(charge.id, 68, uuid4())], at=clock.now())

    found = list_uncredited_refunds(10)
    assert [(row.amount, row.charge.credits_earned, row.charge.refunded) for row in found] == [
        (800, 68, 800)
    ]
    mark_refunds_credited([TakenRefund(found[0].id, 8)], at=clock.now())
    assert list_uncredited_refunds(10) == []
    assert Refund.objects.get(bill_no="B1").credits_taken == 8
    with pytest.raises(AlreadyCredited), transaction.atomic():
        mark_refunds_credited([TakenRefund(found[0].id, 9)], at=clock.now())


def test_two_drains_never_hold_the_same_charge(cloned_database):
    member = make_member()
    for number in range(8):
        pay(member, f"B{number}", 10)
    both_hold = Barrier(2)

    def drain():
        with transaction.atomic():
            held = [charge.id for charge in list_uncredited_charges(4)]
            both_hold.wait(timeout=20)
            mark_charges_credited([EarnedCharge(key, 1, uuid4()) for key in held], at=clock.now())
        return held

    first, second = together([drain, drain])

    assert (len(first), len(second)) == (4, 4)
    assert {*first, *second} == {charge.id for charge in Charge.objects.all()}
    assert Charge.objects.filter(credits_earned=1).count() == 8
