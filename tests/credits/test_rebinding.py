"""Credits of whoever unlinks wait frozen, come back with the link, and are closed on record."""

from datetime import timedelta

import pytest
from django.db import connection

from credits import errors, ledger
from credits.kinds import AccountStatus, Counter, Kind
from credits.models import KeptAccount
from credits.queries import get_balance, list_entries
from credits.queries.monthly import get_month
from credits.services import standing
from credits.services.earning import drain_earning
from credits.services.standing import close_kept, settle_bindings
from tests.credits.conftest import rows, travel
from tests.credits.test_earning import USER_ID, pay
from tests.factories import bind, make_member, sign_in
from tests.threads import together
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Binding
from zone.members.services.bindings import record_binding_status
from zone.notices.models import Notice


@pytest.fixture
def member(db):
    member = make_member(user_id=USER_ID)
    bind(member, at=database_now())
    settle_bindings()
    earn(member, 500)
    return member


def earn(member, amount):
    ledger.earn(
        member_id=member.pk,
        op_id=uuid7(database_now()),
        amount=amount,
        counter=Counter.CAMPAIGNS,
        until=(database_now() + timedelta(days=1000)).date(),
    )


def spend(member, amount):
    ledger.spend(member_id=member.pk, op_id=uuid7(database_now()), amount=amount)


def unlink(member):
    binding = Binding.objects.get(member=member, status="active")
    record_binding_status(binding=binding, status="unbound", occurred_at=database_now())
    assert settle_bindings() == 1


def link_again(member):
    bind(member, at=database_now())
    assert settle_bindings() == 1


def kinds(member):
    return list(Notice.objects.filter(member=member).order_by("id").values_list("kind", flat=True))


def test_unlinking_freezes_what_is_there_and_says_until_when(member):
    unlink(member)

    balance = get_balance(member)
    assert (balance.available, balance.status) == (500, AccountStatus.FROZEN)
    with pytest.raises(errors.MemberFrozen):
        spend(member, 1)
    kept = KeptAccount.objects.get()
    assert (kept.available, kept.closes_at - kept.unlinked_at) == (500, timedelta(days=365))
    assert kinds(member) == ["credits_kept"]
    assert settle_bindings() == 0


def test_linking_again_on_day_ten_restores_the_same_balance(member):
    unlink(member)
    with travel(timedelta(days=10)):
        link_again(member)

        balance = get_balance(member)
        assert (balance.available, balance.status) == (500, AccountStatus.OPEN)
        spend(member, 200)
        assert get_balance(member).available == 300
        assert close_kept() == 0
    assert kinds(member) == ["credits_kept", "credits_restored"]


def test_on_day_400_the_account_is_closed_and_its_statement_says_so(member):
    unlink(member)
    with travel(timedelta(days=340)):
        assert close_kept() == 1
        assert close_kept() == 0
        assert get_balance(member).available == 500
    with travel(timedelta(days=400)):
        assert close_kept() == 1
        assert close_kept() == 0

        balance = get_balance(member)
        assert (balance.available, balance.status) == (0, AccountStatus.CLOSED)
        newest = list_entries(member)[0]
        assert (newest.kind, newest.amount, newest.reason) == (Kind.ADJUST, -500, "unlinked")
        month = get_month(member, newest.posted_at.date().replace(day=1))
        assert (month.opening.available, month.closing.available) == (500, 0)
    kept = KeptAccount.objects.get()
    assert (kept.given_up, kept.next_attempt_at) == (500, None)
    assert kinds(member) == ["credits_kept", "credits_closing", "credits_closed"]
    closed = Notice.objects.get(kind="credits_closed")
    assert closed.link.startswith("/credits/statement?month=")


def test_linking_again_after_the_close_begins_at_nothing(member):
    unlink(member)
    with travel(timedelta(days=400)):
        close_kept()
    with travel(timedelta(days=500)):
        link_again(member)
        assert get_balance(member).status == AccountStatus.OPEN
        assert get_balance(member).available == 0
        earn(member, 7)
        assert get_balance(member).available == 7
    assert [row[0] for row in rows(
        "SELECT to_status FROM ledger.status_event WHERE member_id = %s ORDER BY at", [member.pk]
    )] == [1, 2, 0]  # fmt: skip


def test_a_debt_goes_with_the_account_and_a_hold_keeps_it_open(member):
    held = uuid7()
    ledger.hold(member_id=member.pk, op_id=held, amount=100)
    unlink(member)
    with travel(timedelta(days=400)):
        assert close_kept() == 1
        assert get_balance(member).available == 400
        assert get_balance(member).status == AccountStatus.FROZEN
        ledger.void(member_id=member.pk, hold_op=held, op_id=uuid7(database_now()))
    with travel(timedelta(days=402)):
        assert close_kept() == 1
        assert get_balance(member).status == AccountStatus.CLOSED


def test_a_purchase_of_before_still_earns_into_the_kept_account(member):
    unlink(member)
    pay(900, bill_no="LATE")
    drain_earning()
    assert get_balance(member).available == 509


def test_a_new_binding_that_came_first_keeps_the_account_open(member):
    binding = Binding.objects.get(member=member)
    record_binding_status(binding=binding, status="unbound", occurred_at=database_now())
    bind(member)
    assert settle_bindings() == 2
    assert get_balance(member).status == AccountStatus.OPEN
    assert not KeptAccount.objects.exists()


def test_a_wallet_that_pauses_the_binding_freezes_nothing(member):
    binding = Binding.objects.get(member=member)
    record_binding_status(binding=binding, status="suspended", occurred_at=database_now())
    assert settle_bindings() == 0
    assert get_balance(member).status == AccountStatus.OPEN


def test_the_pages_of_somebody_unlinked_still_read(client, member):
    unlink(member)
    sign_in(client, member)
    page = client.get("/credits").content.decode()
    assert "500" in page
    assert "wait for your wallet" in page


def test_two_sweeps_close_an_account_once(cloned_database):
    member = make_member(user_id=USER_ID)
    bind(member, at=database_now())
    settle_bindings()
    earn(member, 500)
    unlink(member)
    KeptAccount.objects.update(closes_at=database_now(), next_attempt_at=database_now())

    together([standing.close_kept] * 4)

    assert get_balance(member).status == AccountStatus.CLOSED
    assert [line.kind for line in list_entries(member)] == [Kind.ADJUST, Kind.EARN]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger.status_event WHERE to_status = 2")
        assert cursor.fetchone() == (1,)
