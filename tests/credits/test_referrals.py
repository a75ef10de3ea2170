"""A friend's first purchase thanks whoever invited them: once, never oneself, and not for keeps."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from credits import ledger
from credits.kinds import Counter
from credits.models import EarnEvent, EarnPolicy, EarnRule, Invitation, Referral
from credits.queries import get_balance, list_entries
from credits.queries.pending import list_pending
from credits.services.earning import drain_earning
from credits.services.referrals import (
    InvitedBefore,
    NotNew,
    OwnInvitation,
    accept_invitation,
    get_invitation,
)
from tests.credits.conftest import travel
from tests.credits.test_earning import USER_ID, give_back, pay
from tests.factories import make_member, sign_in
from tests.threads import together
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.core.ids import uuid7
from zone.members.models import Member


@pytest.fixture(autouse=True)
def _rule(request):
    if "cloned_database" in request.fixturenames:
        request.getfixturevalue("cloned_database")
    else:
        request.getfixturevalue("db")
    EarnRule.objects.create(
        kind="referral", name="Thanks", is_flat=True, unit_amount=100, credits=200
    )


@pytest.fixture
def inviter(_rule):
    return make_member()


def newcomer(user_id=USER_ID, **facts):
    member = make_member(user_id=user_id, **facts)
    Member.objects.filter(pk=member.pk).update(first_signed_in_at=database_now())
    member.refresh_from_db()
    return member


@pytest.fixture
def friend(_rule):
    return newcomer()


def accept(member, inviter):
    code = get_invitation(inviter).code
    return accept_invitation(member=member, code=code, now=database_now())


def buy(amount=6800, *, bill_no="F1", **delta):
    """Just after the acceptance, by the clock of the test."""
    pay(amount, bill_no=bill_no, at=database_now() + timedelta(**delta))
    drain_earning()


def test_thanks_come_with_the_first_real_purchase_and_only_once(inviter, friend):
    accept(friend, inviter)
    assert get_balance(inviter).available == 0
    buy()
    [line] = list_entries(inviter)
    assert (line.amount, line.counter, line.related) == (200, Counter.REFERRALS, "referral")
    assert Referral.objects.get().state == "bought"
    buy(bill_no="F2")
    assert get_balance(inviter).available == 200
    assert get_balance(friend).available == 136


def test_a_refund_takes_the_thanks_back_in_its_share(inviter, friend):
    accept(friend, inviter)
    buy(6800)
    at = database_now() - timedelta(days=2)
    give_back(1700, bill_no="F1", refund_no="B1", at=at)
    drain_earning()
    assert get_balance(inviter).available == 150
    give_back(5100, bill_no="F1", refund_no="B2", at=at)
    drain_earning()
    assert get_balance(inviter).available == 0
    assert (Referral.objects.get().state, EarnEvent.objects.get().taken) == ("refunded", 200)
    buy(bill_no="F2")
    assert get_balance(inviter).available == 0


def test_a_refund_inside_the_return_window_cancels_the_promise(inviter, friend):
    EarnPolicy.objects.create(name="wait", return_days=14)
    accept(friend, inviter)
    buy()
    assert [each.amount for each in list_pending(inviter.pk)] == [200]
    give_back(6800, bill_no="F1", refund_no="B1", at=database_now() - timedelta(days=2))
    drain_earning()
    assert list_pending(inviter.pk) == []
    with travel(timedelta(days=20)):
        drain_earning()
    assert list_entries(inviter) == []


def test_spent_thanks_become_a_debt_when_the_purchase_comes_back(inviter, friend):
    accept(friend, inviter)
    buy()
    ledger.spend(member_id=inviter.pk, op_id=uuid7(), amount=150)
    give_back(6800, bill_no="F1", refund_no="B1", at=database_now() - timedelta(days=2))
    drain_earning()
    balance = get_balance(inviter)
    assert (balance.available, balance.debt) == (0, 150)


def test_nobody_invites_themselves_on_a_second_device_or_through_another_wallet(inviter):
    with pytest.raises(OwnInvitation):
        accept(inviter, inviter)
    token = b"same-person"
    Member.objects.filter(pk=inviter.pk).update(person_token=token)
    other = newcomer(wallet="ALIPAY_HK")
    Member.objects.filter(pk=other.pk).update(person_token=token)
    inviter.refresh_from_db()
    other.refresh_from_db()
    with pytest.raises(OwnInvitation):
        accept(other, inviter)
    assert not Referral.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Referral.objects.create(friend=inviter, inviter=inviter, accepted_at=database_now())


def test_whoever_turns_out_to_be_the_inviter_is_not_thanked(inviter, friend):
    accept(friend, inviter)
    Member.objects.filter(pk__in=[friend.pk, inviter.pk]).update(person_token=b"one")
    buy()
    assert Referral.objects.get().state == "refused"
    assert list_entries(inviter) == []


def test_invitations_are_for_people_who_are_new(inviter, friend):
    old = make_member()
    with pytest.raises(NotNew):
        accept(old, inviter)
    buy()
    with pytest.raises(NotNew):
        accept(friend, inviter)


def test_a_purchase_of_before_the_acceptance_thanks_nobody(inviter, friend):
    accept(friend, inviter)
    buy(hours=-1)
    assert Referral.objects.get().state == "refused"
    buy(bill_no="F2")
    assert get_balance(inviter).available == 0


def test_a_friend_accepts_once_and_two_cannot_invite_each_other(inviter, friend):
    accept(friend, inviter)
    accept(friend, inviter)
    with pytest.raises(InvitedBefore):
        accept(friend, make_member())
    Member.objects.filter(pk=inviter.pk).update(first_signed_in_at=database_now())
    inviter.refresh_from_db()
    with pytest.raises(NotNew):
        accept(inviter, friend)
    with pytest.raises(NotFound):
        accept_invitation(member=friend, code="NOSUCHCODE", now=database_now())


def test_two_inviters_race_for_one_friend(cloned_database):
    friend = newcomer()
    inviters = [make_member() for _number in range(4)]
    codes = [get_invitation(inviter).code for inviter in inviters]
    jobs = [
        lambda code=code: accept_invitation(member=friend, code=code, now=database_now())
        for code in codes
    ]
    answers = together(jobs)
    assert sum(isinstance(answer, Referral) for answer in answers) == 1
    assert sum(isinstance(answer, InvitedBefore) for answer in answers) == 3
    assert Referral.objects.count() == 1


def test_the_link_leads_a_friend_through_signing_in_and_back(client, inviter, friend):
    page = (sign_in(client, inviter), client.get("/credits/invite"))[1].content.decode()
    code = Invitation.objects.get(member=inviter).code
    assert f"/invited/{code}" in page
    assert "<svg" in page
    assert "200 credits for you" in page
    assert client.post(f"/invited/{code}").status_code == 409
    client.cookies.clear()
    away = client.get(f"/invited/{code}")
    assert (away.status_code, away["Location"]) == (302, f"/welcome?next=%2Finvited%2F{code}")
    sign_in(client, friend)
    assert "Accept the invitation" in client.get(f"/invited/{code}").content.decode()
    assert client.post(f"/invited/{code}").status_code == 302
    assert Referral.objects.get().friend == friend
    assert client.get("/invited/NOSUCHCODE").status_code == 404


def test_the_inviter_reads_states_and_no_names(client, inviter, friend):
    accept(friend, inviter)
    buy()
    sign_in(client, inviter)
    page = client.get("/credits/invite").content.decode()
    assert "1 friend bought something" in page
    assert friend.public_id not in page
