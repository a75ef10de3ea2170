"""Another Apple account, another wallet: credits stay with the member, beginnings count once."""

from datetime import timedelta
from functools import partial

import pytest

from credits.kinds import AccountStatus
from credits.models import AppleAccountFirst, EarnEvent, EarnRule, Referral
from credits.queries import get_balance, list_entries
from credits.queries.earning import preview_charges
from credits.services.check_ins import check_in
from credits.services.earning import drain_earning
from credits.services.referrals import accept_invitation, get_invitation
from credits.services.standing import settle_bindings
from tests.credits.conftest import broken, travel
from tests.credits.test_earning import pay
from tests.factories import make_member
from tests.threads import together
from zone.core.clock import database_now
from zone.history.models import Charge
from zone.members.models import Binding, Member
from zone.members.queries import has_active_binding
from zone.members.services.bindings import record_report
from zone.members.wallets.base import AgreementReport

ONE, OTHER = "2088770000APPLE001", "2088770000APPLE002"
BLUE, RED = "3f1c2e60-blue", "9a7d4b11-red"  # Two Apple accounts, by Apple's own ids.
LINK, FIRST, REFERRAL = 100, 25, 200


@pytest.fixture
def rules(db):
    for kind, credits in (("binding", LINK), ("first", FIRST), ("referral", REFERRAL)):
        EarnRule.objects.create(
            kind=kind, name=kind, is_flat=True, unit_amount=100, credits=credits,
            currency="CNY" if kind == "first" else "",
        )  # fmt: skip


def report(user_id, status, number, apple=""):
    member = record_report(
        wallet=Member.objects.first().wallet,
        report=AgreementReport(
            user_id, status, database_now(), agreement_reference=number, apple_account=apple
        ),
    )
    assert member is not None
    settle_bindings()


def link(user_id, apple, number):
    report(user_id, "active", number, apple)


def unlink(user_id, number):
    report(user_id, "unbound", number)


def newcomer(user_id):
    member = make_member(user_id=user_id)
    Member.objects.filter(pk=member.pk).update(first_signed_in_at=database_now())
    member.refresh_from_db()
    return member


def buy(user_id, bill_no, amount=1000):
    pay(amount, bill_no=bill_no, user_id=user_id, at=database_now())
    drain_earning()


def reasons(member):
    return sorted((line.reason, line.amount) for line in list_entries(member) if line.amount > 0)


def test_a_member_who_links_another_apple_account_keeps_everything_and_begins_nothing(rules):
    """Unlinked, credits wait frozen; the new account opens them again, and is not thanked for."""
    member = newcomer(ONE)
    link(ONE, BLUE, "A1")
    buy(ONE, "B1")
    check_in(member=member)
    before = get_balance(member)
    assert before.available == LINK + FIRST + 10 + check_in_credits(member)

    unlink(ONE, "A1")
    assert get_balance(member).status == AccountStatus.FROZEN
    with travel(timedelta(hours=12)):
        link(ONE, RED, "A2")
        assert has_active_binding(member)
        after = get_balance(member)
        assert (after.available, after.status) == (before.available, AccountStatus.OPEN)
        buy(ONE, "B2")
        assert get_balance(member).available == before.available + 10
    with travel(timedelta(days=1)):
        assert check_in(member=member).streak == 2  # The streak is the member's, too.
    assert EarnEvent.objects.filter(kind="binding").count() == 1
    assert broken() == []


def check_in_credits(member):
    return sum(line.amount for line in list_entries(member) if line.reason == "check_in")


def test_an_apple_account_in_a_second_wallet_is_thanked_for_once(rules):
    """The first member keeps what it gave; the second may spend, earn and invite like anybody."""
    first, second = newcomer(ONE), newcomer(OTHER)
    link(ONE, BLUE, "A1")
    buy(ONE, "B1")
    assert get_balance(first).available == LINK + FIRST + 10
    unlink(ONE, "A1")

    link(OTHER, BLUE, "A2")
    assert get_balance(second).available == 0
    pay(1000, bill_no="B2", user_id=OTHER, at=database_now())
    [promised] = preview_charges(list(Charge.objects.filter(bill_no="B2")))
    drain_earning()
    assert promised.credits == get_balance(second).available == 10
    assert get_balance(first).available == LINK + FIRST + 10


def test_a_second_member_is_thanked_once_an_apple_account_of_their_own_comes(rules):
    newcomer(ONE)
    second = newcomer(OTHER)
    link(ONE, BLUE, "A1")
    link(OTHER, BLUE, "A2")
    assert get_balance(second).available == 0
    unlink(OTHER, "A2")
    link(OTHER, RED, "A3")
    assert get_balance(second).available == LINK
    unlink(OTHER, "A3")
    link(OTHER, RED, "A4")
    assert get_balance(second).available == LINK


def test_nobody_is_thanked_for_a_friend_whose_apple_account_bought_before(rules):
    newcomer(ONE)
    friend, inviter = newcomer(OTHER), make_member()
    link(ONE, BLUE, "A1")
    buy(ONE, "B1")
    link(OTHER, BLUE, "A2")
    accept_invitation(member=friend, code=get_invitation(inviter).code, now=database_now())
    buy(OTHER, "B2")
    assert Referral.objects.get().state == Referral.State.REFUSED
    assert get_balance(inviter).available == 0


def test_who_is_forgotten_and_comes_back_with_the_same_apple_account_begins_nothing(rules):
    member = newcomer(ONE)
    link(ONE, BLUE, "A1")
    Binding.objects.update(apple_index=None, agreement_reference=None, status="unbound")
    assert AppleAccountFirst.objects.get().member_id == member.pk
    again = newcomer(OTHER)
    link(OTHER, BLUE, "A2")
    assert get_balance(again).available == 0


def test_a_wallet_that_does_not_name_the_apple_account_changes_nothing(rules):
    first, second = newcomer(ONE), newcomer(OTHER)
    link(ONE, "", "A1")
    link(OTHER, "", "A2")
    assert [get_balance(each).available for each in (first, second)] == [LINK, LINK]
    assert not AppleAccountFirst.objects.exists()


def test_where_no_rule_thanks_the_account_stays_open_for_the_rule_that_comes(db):
    newcomer(ONE)
    second = newcomer(OTHER)
    link(ONE, BLUE, "A1")
    assert not AppleAccountFirst.objects.exists()
    EarnRule.objects.create(
        kind="binding", name="late", is_flat=True, unit_amount=100, credits=LINK
    )
    link(OTHER, BLUE, "A2")
    assert get_balance(second).available == LINK


RACERS = 6


def _rivals():
    EarnRule.objects.create(
        kind="binding", name="link", is_flat=True, unit_amount=100, credits=LINK
    )
    members = [newcomer(f"2088770000RIVAL{n:03}") for n in range(RACERS)]
    for n, member in enumerate(members):
        record_report(
            wallet=member.wallet,
            report=AgreementReport(
                f"2088770000RIVAL{n:03}", "active", database_now(), agreement_reference=f"R{n}",
                apple_account=BLUE,
            ),
        )  # fmt: skip
    return members


def test_of_members_who_link_one_apple_account_at_once_one_is_thanked(cloned_database):
    members = _rivals()
    together([partial(settle_bindings, limit=1)] * RACERS)
    settle_bindings()
    assert sum(get_balance(member).available for member in members) == LINK
    assert EarnEvent.objects.count() == AppleAccountFirst.objects.count() == 1
    assert broken() == []


def test_control_without_the_first_everybody_is_thanked(cloned_database, monkeypatch):
    members = _rivals()
    monkeypatch.setattr("credits.services.standing.take_link", lambda *args, **kwargs: True)
    together([partial(settle_bindings, limit=1)] * RACERS)
    settle_bindings()
    assert sum(get_balance(member).available for member in members) == LINK * RACERS
