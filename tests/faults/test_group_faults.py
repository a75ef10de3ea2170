"""Gifts with friends when a process dies: in the sweep of their ends, and around the last part's commit."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

from django.conf import settings

from benefits.models import Claim, Gift, GroupGift
from benefits.services import group_clock
from tests.benefits.grouping import (
    PRICE,
    make_friend,
    make_priced_release,
    put_in,
    standing,
    start,
    wallet_of,
)
from tests.races.test_claim_races import books
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.notices.models import Notice

SWEEP = "from benefits.services.group_clock import drain_groups; drain_groups()"
LAST_PART = (
    "from uuid import UUID; from benefits.models import GroupGift;"
    " from benefits.services.group_parts import put_in; from zone.core.clock import database_now;"
    " from zone.members.models import Member;"
    " put_in(group=GroupGift.objects.get(), member=Member.objects.get(pk={member}), amount=20,"
    " op_id=UUID('{press}'), now=database_now())"
)


def dies(database, work, *, at):
    """`work` in a process of its own, which the power leaves at a named place."""
    env = {**os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings"}
    died = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {work}"],
        env={**env, "ZONE_FAILPOINT": at},
        cwd=settings.BASE_DIR,
        timeout=120,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL


def sound(database):
    code, report = books(database)
    assert code == 0, report


def test_a_sweep_that_dies_leaves_everything_to_the_next(cloned_database):
    ann, ben = make_friend(), make_friend()
    groups = [start(ann, make_priced_release()) for _ in range(3)]
    for group in groups:
        put_in(group, ben, 5)
    over = database_now() - timedelta(seconds=1)
    GroupGift.objects.update(ends_at=over)
    dies(cloned_database, SWEEP, at="groups_before_commit")
    assert {standing(group) for group in groups} == {("collecting", 15)}
    assert wallet_of(ben) == (85, 15)
    sound(cloned_database)
    assert (group_clock.drain_groups(), group_clock.drain_groups()) == (3, 0)
    assert {standing(group) for group in groups} == {("ended", 0)}
    assert (wallet_of(ann), wallet_of(ben)) == ((100, 0), (100, 0))
    assert Notice.objects.filter(kind="group_ended").count() == 6  # Two people, three gifts.
    sound(cloned_database)


def test_a_last_part_that_dies_before_its_commit_is_nothing(cloned_database):
    ann, ben = make_friend(), make_friend()
    group, press = start(ann, make_priced_release()), uuid7()
    dies(
        cloned_database,
        LAST_PART.format(member=ben.pk, press=press),
        at="group_before_commit",
    )
    assert (standing(group), wallet_of(ben)) == (("collecting", 10), (100, 0))
    assert (Claim.objects.count(), Gift.objects.count()) == (0, 0)
    sound(cloned_database)
    put_in(group, ben, 20, op_id=press)
    assert standing(group) == ("complete", PRICE)
    sound(cloned_database)


def test_an_answer_lost_after_the_last_commit_is_asked_for_again(cloned_database):
    """Nobody heard that it was done: the same press again is the same part, and nothing more."""
    ann, ben = make_friend(), make_friend()
    group, press = start(ann, make_priced_release()), uuid7()
    dies(cloned_database, LAST_PART.format(member=ben.pk, press=press), at="group_after_commit")
    for _ in range(2):
        part = put_in(group, ben, 20, op_id=press)
        assert (part.state, part.group.state) == ("taken", "complete")
    assert (Claim.objects.count(), Gift.objects.count()) == (1, 1)
    assert (wallet_of(ann), wallet_of(ben)) == ((90, 0), (80, 0))
    assert Notice.objects.filter(kind="group_complete").count() == 2
    sound(cloned_database)


def test_control_a_sweep_that_forgets_to_release_is_seen(cloned_database, monkeypatch):
    from benefits.services import group_gifts

    ann = make_friend()
    start(ann, make_priced_release())
    GroupGift.objects.update(ends_at=database_now() - timedelta(seconds=1))
    monkeypatch.setattr(group_gifts, "release_parts", lambda group, **_: 0)
    assert group_clock.drain_groups() == 1
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I59" in report
