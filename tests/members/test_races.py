"""Two at once: one state, one member, one binding, one try."""

import pytest
from django.test import Client

from tests.factories import make_member
from tests.members import walk
from tests.threads import together
from zone.core import clock
from zone.members.models import (
    Binding,
    BindingAttempt,
    Consent,
    Member,
    MemberSession,
    Wallet,
)
from zone.members.sandbox.models import SandboxAccount
from zone.members.sandbox.services import accounts
from zone.members.services import attempts, consents, visits
from zone.members.services.identities import enrol_member

TABS = 8


@pytest.mark.usefixtures("cloned_database")
def test_two_tabs_with_one_state_sign_in_once():
    client = Client()
    params = walk.come_back(client)
    cookies = client.cookies

    def finish() -> int:
        tab = Client()
        tab.cookies = cookies.copy()
        return tab.post("/welcome/return", params).status_code

    answers = together([finish] * TABS)
    assert sorted(answers) == [303] + [410] * (TABS - 1)
    assert (Member.objects.count(), MemberSession.objects.count()) == (1, 1)
    assert Consent.objects.count() == 3


@pytest.mark.usefixtures("cloned_database")
@pytest.mark.parametrize(("walls_down", "sessions"), [(1, 1), (2, TABS)])
def test_control_the_race_is_seen_when_the_guards_are_gone(monkeypatch, walls_down, sessions):
    """Our state and the wallet's code are each good once; without both, every tab gets in."""
    client = Client()
    params = walk.come_back(client)
    cookies = client.cookies
    monkeypatch.setattr(visits, "consume_visit", lambda visit, now: None)
    if walls_down == 2:
        account = SandboxAccount.objects.get()
        monkeypatch.setattr(accounts, "use_auth_code", lambda **facts: account)

    def finish() -> int:
        tab = Client()
        tab.cookies = cookies.copy()
        return tab.post("/welcome/return", params).status_code

    assert together([finish] * TABS).count(303) == sessions
    assert MemberSession.objects.count() == sessions


@pytest.mark.usefixtures("cloned_database")
def test_one_person_enrolled_by_many_is_one_member():
    wallet = Wallet.objects.get(code="GCASH")

    def enrol() -> tuple[int, bool]:
        member, is_new = enrol_member(wallet=wallet, user_id="g-1", joined_at=clock.now())
        return member.pk, is_new

    answers = together([enrol] * TABS)
    assert len({pk for pk, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1
    assert Member.objects.count() == 1


@pytest.mark.usefixtures("cloned_database")
def test_one_try_and_one_binding_for_many_clicks():
    client = Client()
    walk.sign_in(client)
    cookies = client.cookies

    def leave() -> int:
        tab = Client()
        tab.cookies = cookies.copy()
        return tab.post("/bind/leave").status_code

    assert together([leave] * TABS) == [200] * TABS
    assert (Binding.objects.count(), BindingAttempt.objects.count()) == (1, 1)


@pytest.mark.usefixtures("cloned_database")
def test_one_consent_for_many_clicks():
    member = make_member()

    def agree() -> None:
        consents.give_consents(
            member=member, purposes=["account"], language="en", evidence={}, now=clock.now()
        )

    assert together([agree] * TABS) == [None] * TABS
    assert Consent.objects.count() == 1


@pytest.mark.usefixtures("cloned_database")
def test_one_sandbox_person_for_many_makers():
    wallet = Wallet.objects.get(code="ALIPAY_CN")
    made = together([lambda: accounts.ensure_account(wallet=wallet, user_id="2088").pk] * TABS)
    assert len(set(made)) == 1


@pytest.mark.usefixtures("cloned_database")
def test_one_open_try_whoever_opens_it():
    member = make_member()
    now = clock.now()
    tries = together([lambda: attempts.open_attempt(member=member, now=now).pk] * TABS)
    assert len(set(tries)) == 1
