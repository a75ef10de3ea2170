"""A row that fails waits by itself; what stands behind it goes on, and nothing of it is half done."""

import pytest
from django.db import IntegrityError, OperationalError, transaction

from tests.factories import make_member
from zone.core.clock import database_now
from zone.core.errors import Unavailable
from zone.core.models import StuckRow
from zone.core.stuck import (
    FORGOTTEN_AFTER,
    PAUSE,
    PAUSE_MAX,
    Attempts,
    pause_after,
    together_or_alone,
    try_now,
)
from zone.members.models import Member

pytestmark = [pytest.mark.django_db, pytest.mark.stuck]
COPIED = ["public_id", "wallet", "language", "joined_at"]


def rename(member, name="done"):
    Member.objects.filter(pk=member.pk).update(display_name=name)


def names():
    return list(Member.objects.order_by("pk").values_list("display_name", flat=True))


def test_what_a_failing_row_wrote_is_taken_back_and_the_next_one_is_reached():
    first, second = make_member(), make_member()
    attempts = Attempts("names")
    with transaction.atomic():
        for member in (first, second):
            with attempts.at(member.pk):
                rename(member)
                if member == first:
                    raise ValueError("cannot be")
    assert names() == ["Test", "done"]
    (row,) = StuckRow.objects.all()
    assert (row.work, row.row, row.count) == ("names", str(first.pk), 1)
    assert row.error == "ValueError: cannot be"


def test_a_stuck_row_is_left_out_until_its_pause_is_over_and_gone_once_done():
    with Attempts("names").at(7):
        raise ValueError
    assert Attempts("names").left_out == ["7"]
    assert Attempts("others").left_out == []
    try_now(StuckRow.objects.all(), now=database_now())
    again = Attempts("names")
    assert again.left_out == []
    with again.at(7):
        pass
    assert not StuckRow.objects.exists()


def test_a_row_done_by_other_means_leaves_the_list():
    with Attempts("names").at(7):
        raise ValueError
    due_since = database_now() - FORGOTTEN_AFTER
    try_now(StuckRow.objects.all(), now=due_since + PAUSE)
    Attempts("names")
    assert StuckRow.objects.exists(), "a drain that was away for a moment has not forgotten it"
    try_now(StuckRow.objects.all(), now=due_since)
    Attempts("names")
    assert not StuckRow.objects.exists()


def test_pauses_double_up_to_a_quarter_of_a_day():
    assert [pause_after(count) / PAUSE for count in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert pause_after(40) == PAUSE_MAX


def test_failing_again_counts_and_keeps_the_first_time():
    for _ in range(3):
        with Attempts("names").at(7):
            raise ValueError
    row = StuckRow.objects.get()
    assert row.count == 3
    assert row.first_at < row.last_at
    assert row.retry_at - row.last_at == 4 * PAUSE


def test_what_postgresql_quotes_of_a_row_is_not_kept():
    member = make_member()
    with Attempts("names").at(7):
        Member(pk=None, **{name: getattr(member, name) for name in COPIED}).save()
    error = StuckRow.objects.get().error
    assert error.startswith("IntegrityError 23505 members_member")
    assert member.public_id not in error


@pytest.mark.parametrize("fault", [OperationalError("gone"), Unavailable()])
def test_what_is_no_fault_of_the_row_is_passed_on(fault):
    with pytest.raises(type(fault)), Attempts("names").at(7):
        raise fault
    assert not StuckRow.objects.exists()


def drain(limit=10, refused=()):
    def take(count, left_out):
        waiting = Member.objects.filter(display_name="Test").exclude(pk__in=left_out)
        return list(waiting.order_by("pk").select_for_update()[:count])

    def do(members):
        for member in members:
            rename(member)
        if {member.pk for member in members} & set(refused):
            raise IntegrityError("one of them")

    return together_or_alone("names", take=take, do=do, key=lambda row: row.pk, limit=limit)


def test_a_batch_with_a_bad_row_goes_one_by_one_and_leaves_only_that_row():
    members = [make_member() for _ in range(4)]
    assert drain(refused=[members[1].pk]) == 3
    assert names() == ["done", "Test", "done", "done"]
    assert StuckRow.objects.get().row == str(members[1].pk)
    assert drain(refused=[members[1].pk]) == 0
    try_now(StuckRow.objects.all(), now=database_now())
    assert drain() == 1
    assert names() == ["done"] * 4
    assert not StuckRow.objects.exists()
