"""The watch over the seals: a rolling look that still finds an old row at once, and names it."""

from datetime import timedelta

import pytest

from credits.models import SealFinding, SealWatch
from credits.queries.seals import check_seals
from credits.services import seal_watch
from credits.services.sealing import seal
from tests.credits.conftest import travel
from tests.credits.test_seals import _earn, _guards_lifted
from tests.factories import make_member
from zone.core.clock import database_now

BLOCKS = 12


@pytest.fixture
def journal(cloned_database, monkeypatch):
    """Twelve blocks of one entry, watched before, by a watch that has time for two at a look."""
    monkeypatch.setattr(seal_watch, "NEWEST_BLOCKS", 1)
    monkeypatch.setattr(seal_watch, "BUDGET_SECONDS", -1.0)
    monkeypatch.setattr(seal_watch, "LAP", seal_watch.LOOK_EVERY * 12)
    member = make_member().pk
    ops = []
    for _ in range(BLOCKS):
        ops.append(_earn(member))
        assert seal() == 1
    assert seal_watch.watch_seals() == 0
    return cloned_database, member, ops


def _alter(database, op):
    """As a superuser, past every guard; counted by PostgreSQL when the session ends."""
    with database.connect(as_owner=True) as owner, _guards_lifted(owner):
        owner.execute("UPDATE ledger.entry SET reason = 'x' WHERE op_id = %s", [op])


def _found():
    return list(SealFinding.objects.values_list("block", "member_id", "op_id", "what"))


@pytest.mark.parametrize("block", [2, BLOCKS])
def test_a_row_changed_by_sql_is_named_at_the_next_look(journal, block):
    database, member, ops = journal
    _alter(database, ops[block - 1])
    assert seal_watch.watch_seals() == 1
    assert _found() == [(block, member, ops[block - 1], "was changed")]
    assert seal_watch.LOOK_EVERY * 2 + timedelta(seconds=seal_watch.SUSPECT_SECONDS) < timedelta(
        minutes=6
    )
    assert seal_watch.watch_seals() == 0  # Told once.


def test_a_removed_row_is_named_too(journal):
    database, member, ops = journal
    with database.connect(as_owner=True) as owner, _guards_lifted(owner):
        owner.execute("DELETE FROM ledger.entry WHERE op_id = %s", [ops[3]])
    seal_watch.watch_seals()
    assert _found() == [(4, member, ops[3], "was removed")]


def test_control_without_the_counts_only_the_lap_comes_by(journal, monkeypatch):
    """The hint is what finds it at once: without it the row waits for the lap, which finds it."""
    database, member, ops = journal
    monkeypatch.setattr(seal_watch, "read_change_counts", dict)
    block = (SealWatch.objects.get().next_block + 5) % BLOCKS + 1
    _alter(database, ops[block - 1])
    assert seal_watch.watch_seals() == 0
    looks = 1
    while not seal_watch.watch_seals():
        looks += 1
        assert looks <= BLOCKS
    assert _found() == [(block, member, ops[block - 1], "was changed")]


def test_every_block_is_looked_at_within_a_lap(journal, monkeypatch):
    seen = []

    def remember(first=1, last=None):
        seen.extend(range(first, last + 1))
        return check_seals(first, last)

    monkeypatch.setattr(seal_watch, "check_seals", remember)
    looks = int(seal_watch.LAP / seal_watch.LOOK_EVERY)
    for number in range(looks):
        with travel(seal_watch.LOOK_EVERY * number):
            seal_watch.watch_seals()
    assert set(range(1, BLOCKS + 1)) <= set(seen)
    assert seen.count(BLOCKS) >= looks  # The newest at every look.
    assert SealWatch.objects.get().lap_finished_at is not None
    assert len(seen) <= looks * 5  # And no look read them all.


def test_one_looks_at_a_time_and_a_dead_ones_lease_lapses(journal):
    database, _member, ops = journal
    _alter(database, ops[0])
    SealWatch.objects.update(lease_until=database_now() + seal_watch.LEASE)
    assert seal_watch.watch_seals() == 0
    with travel(seal_watch.LEASE + timedelta(seconds=1)):
        assert seal_watch.watch_seals() == 1
