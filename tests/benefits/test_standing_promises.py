"""Damage to events, freezes, kept accounts and swaps is named by the promise it breaks."""

import pytest

from benefits.errors import ClaimNotUsable
from benefits.models import Stamp
from benefits.services.redemptions import redeem_claim
from benefits.verify import INVARIANTS as CLAIMS
from credits.models import EarnEvent, Freeze, KeptAccount
from credits.services.events import Event, earn_for
from credits.services.standing import settle_bindings
from credits.verify import INVARIANTS as BOOKS
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.test_stamps import buy_on, make_board, make_payer, swap
from tests.credits.conftest import rows
from tests.credits.test_earn_events import rule
from tests.credits.test_freeze import freeze
from tests.factories import make_operator
from zone.core.clock import database_now
from zone.members.models import Member
from zone.members.services.bindings import record_binding_status


def broken():
    wanted = ("I50", "I51", "I52", "I53", "I54")
    return [each.id for each in (*BOOKS, *CLAIMS) if each.id in wanted and rows(each.sql)]


def an_event(member):
    rule("binding", 100)
    earn_for([Event(member=member, kind="binding", source="first", at=database_now())])
    EarnEvent.objects.update(credits=101)


def thanks_for_nobody(member):
    EarnEvent.objects.create(
        member=member, kind="referral", source="friend:1", on=database_now().date(),
        occurred_at=database_now(), credits=0, reason="no_rule", decided_at=database_now(),
    )  # fmt: skip


def a_freeze_without_a_mark(member):
    freeze(member, make_operator("support"))
    Member.objects.filter(pk=member.pk).update(frozen_at=None)


def a_mark_without_a_freeze(member):
    freeze(member, make_operator("support"))
    Freeze.objects.all().delete()


def a_kept_account_that_is_open(member):
    KeptAccount.objects.create(
        member=member, unlinked_at=database_now(), closes_at=database_now(), available=0,
        next_attempt_at=database_now(),
    )  # fmt: skip


def a_swap_short_of_a_stamp(member):
    treat = make_release(make_benefit(only_for_stamps=True), codes=1).benefit
    board = make_board(treat)
    for number in range(3):
        buy_on(40 - number, number=number)
    swap(member, board, treat)
    Stamp.objects.filter(pk=Stamp.objects.first().pk).update(swap=None)


@pytest.mark.parametrize(
    ("damage", "promise"),
    [
        (an_event, "I50"),
        (thanks_for_nobody, "I51"),
        (a_freeze_without_a_mark, "I52"),
        (a_mark_without_a_freeze, "I52"),
        (a_kept_account_that_is_open, "I53"),
        (a_swap_short_of_a_stamp, "I54"),
    ],
)
def test_damage_is_named(db, damage, promise):
    payer = make_payer()
    assert broken() == []
    damage(payer)
    assert broken() == [promise]


def test_a_whole_life_breaks_nothing(db):
    payer = make_payer()
    rule("binding", 100)
    settle_bindings()
    binding = payer.bindings.get()
    record_binding_status(binding=binding, status="unbound", occurred_at=database_now())
    settle_bindings()
    freeze(payer, make_operator("support"))
    assert broken() == []


def test_a_shop_cannot_use_the_code_of_a_frozen_member(alice):
    made = claim(alice, make_release(make_benefit(), codes=1))
    freeze(alice, make_operator("support"))
    made.refresh_from_db()
    with pytest.raises(ClaimNotUsable):
        redeem_claim(claim=made, now=database_now(), actor="partner:x")
    made.refresh_from_db()
    assert made.state == "granted"
