"""Wishes met by many workers and presses at one instant: one wish, one notice; with a control."""

from unittest import mock

from django.db.models import QuerySet

from benefits.models import Wish
from benefits.services import wishes
from benefits.services.wishes import drain_wishes, make_wish
from tests.benefits.factories import give_credits, make_benefit, make_release
from tests.races.test_claim_races import books, make_members
from tests.races.test_console_races import slow
from tests.threads import together
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.notices.models import Notice

WORKERS = 6


def wished():
    """Four members who asked and may have it by now."""
    benefit = make_benefit(price_credits=50)
    make_release(benefit, codes=4)
    for member in make_members(4):
        make_wish(member=member, benefit=benefit, now=database_now())
        give_credits(member, 50)
    Wish.objects.update(looks_at=database_now())


def test_many_workers_tell_each_member_once(cloned_database):
    wished()
    with slow(wishes, "_news", 0.05):
        answers = together([drain_wishes] * WORKERS)
    assert sum(answers) == 4
    assert Notice.objects.filter(kind="benefit_ready").count() == 4
    assert set(Wish.objects.values_list("state", flat=True)) == {"told"}
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_without_row_and_key_members_are_told_again(cloned_database, monkeypatch):
    wished()
    write = wishes.write_notice
    monkeypatch.setattr(
        wishes, "write_notice", lambda **said: write(**{**said, "dedupe_key": str(uuid7())})
    )
    with (
        slow(wishes, "_news", 0.05),
        mock.patch.object(QuerySet, "select_for_update", lambda rows, **options: rows),
    ):
        together([drain_wishes] * WORKERS)
    assert Notice.objects.filter(kind="benefit_ready").count() > 4, "the control must see a repeat"


def test_ten_presses_are_one_wish(cloned_database):
    benefit = make_benefit(price_credits=50)
    make_release(benefit, codes=1)
    (alice,) = make_members(1)
    press = lambda: make_wish(member=alice, benefit=benefit, now=database_now())  # noqa: E731
    assert together([press] * 10) == [None] * 10
    assert Wish.objects.count() == 1
