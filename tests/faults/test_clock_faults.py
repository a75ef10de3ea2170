"""Clocks that are wrong: nothing lapses early or late, and what has lapsed stays so.

The day that counts is the market's, by the database's clock, and never below the highest one used.
FAULT_SEED chooses another random walk of the clock.
"""

import os
import random
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from credits import errors, ledger
from credits.kinds import Kind
from credits.queries import get_balance, list_entries
from credits.undoing import undo_adjustment
from tests.credits.conftest import broken, rows, standing, travel
from tests.factories import make_member
from zone.core import clock
from zone.core.clock import database_now
from zone.core.ids import uuid7

SEED = int(os.environ.get("FAULT_SEED", "1"))
MARCH, MAY = date(2027, 3, 31), date(2027, 5, 31)
SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2027, 4, 1, tzinfo=SHANGHAI)  # The first instant at which March is over.
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = 120


def at(instant):
    """Let the database's clock show about `instant`, for this session."""
    with travel(timedelta(0)):
        return travel(instant - database_now())


def earn(member, amount, until):
    ledger.earn(member_id=member.pk, op_id=uuid7(database_now()), amount=amount, until=until)


def spend(member, amount, op=None):
    op = op or uuid7(database_now())
    return ledger.spend(member_id=member.pk, op_id=op, amount=amount)


@pytest.fixture
def member(db):
    member = make_member()
    earn(member, 10, MARCH)
    return member


@pytest.mark.parametrize("skew", [HOUR, -HOUR])
def test_the_processs_clock_decides_nothing(member, settings, skew):
    """An hour fast or slow, the same credits live to the same midnight."""
    settings.ZONE_CLOCK_OFFSET_SECONDS = int(
        (MIDNIGHT - timedelta(minutes=30) + skew - datetime.now(UTC)).total_seconds()
    )
    with at(MIDNIGHT - timedelta(minutes=30)):
        assert abs(clock.now() - database_now() - skew) < timedelta(seconds=30)
        assert spend(member, 1).code == "ok"
    with at(MIDNIGHT + timedelta(minutes=1)):
        before = standing(member.pk)
        with pytest.raises(errors.InsufficientCredits):
            spend(member, 1)
        assert standing(member.pk) == before
        assert get_balance(member).available == 0
    assert broken() == []


def test_an_operation_from_an_hour_ahead_is_refused_and_one_from_behind_is_not(member):
    """The id of an operation says when it was asked; ten minutes ahead of us are forgiven."""
    before = standing(member.pk)
    with pytest.raises(errors.InvalidOperation):
        spend(member, 1, uuid7(database_now() + HOUR))
    assert standing(member.pk) == before
    assert spend(member, 1, uuid7(database_now() + timedelta(minutes=9))).code == "ok"
    assert spend(member, 1, uuid7(database_now() - HOUR)).code == "ok"


def test_a_database_whose_day_steps_back_brings_nothing_to_life(member, bob):
    earn(bob, 5, MAY)
    with at(MIDNIGHT + HOUR):
        assert spend(bob, 1).code == "ok"  # Somebody of the market has seen the new day.
    with at(MIDNIGHT - DAY + HOUR):
        with pytest.raises(errors.InsufficientCredits):
            spend(member, 1)
        assert get_balance(member).available == 0
        newest = spend(bob, 1)
        assert (newest.seq, list_entries(bob)[0].posted_at < list_entries(bob)[1].posted_at) == (
            3, True,
        )  # fmt: skip
        assert ledger.expire_batch() == 1
    assert [line.amount for line in list_entries(member)] == [-10, 10]
    assert broken() == []


def test_control_without_the_highest_day_the_dead_are_spent(cloned_database):
    member, bob = make_member(), make_member()
    earn(member, 10, MARCH)
    earn(bob, 5, MAY)
    with at(MIDNIGHT + HOUR):
        spend(bob, 1)
    with at(MIDNIGHT - DAY + HOUR):
        with cloned_database.connect(as_owner=True) as owner:
            owner.execute(
                "UPDATE ledger.zone_day SET day = '2027-03-31', floor = ledger.month_number("
                "'2027-03-31') * 2, ends_at = '2027-04-01'::timestamp AT TIME ZONE name"
                " WHERE name = 'Asia/Shanghai'"
            )
        assert spend(member, 1).code == "ok"


def test_a_database_whose_day_steps_ahead_takes_a_day_and_no_more(member):
    """A clock that is a day ahead for a moment ends March a day early; May stands as it was."""
    earn(member, 5, MAY)
    with at(MIDNIGHT - HOUR + DAY):
        assert spend(member, 1).available == 4
    with at(MIDNIGHT - HOUR):
        assert get_balance(member).available == 4
        assert [line.kind for line in list_entries(member)][:2] == [Kind.SPEND, Kind.EXPIRE]
    assert broken() == []


@pytest.mark.parametrize(
    ("label", "until", "last_hour", "over"),
    [
        ("summer time ended that morning", date(2027, 10, 31), (10, 31, 23, 30), (11, 1, 0, 1)),
        ("summer time began that week", date(2027, 3, 31), (3, 31, 22, 30), (3, 31, 23, 1)),
        ("winter", date(2027, 1, 31), (1, 31, 23, 30), (2, 1, 0, 1)),
    ],
)
def test_a_month_ends_at_local_midnight_whatever_the_season(db, label, until, last_hour, over):
    """London: in summer midnight is 23:00 UTC, after the last Sunday of October 00:00."""
    rows("UPDATE members_wallet SET time_zone = 'Europe/London' WHERE code = 'TNG'")
    member = make_member(wallet="TNG")
    earn(member, 10, until)
    with at(datetime(2027, *last_hour, tzinfo=UTC)):
        assert get_balance(member).available == 10
        assert ledger.expire_batch() == 0
        assert spend(member, 1).code == "ok"
    with at(datetime(2027, *over, tzinfo=UTC)):
        with pytest.raises(errors.InsufficientCredits):
            spend(member, 1)
        assert ledger.expire_batch() == 1
    assert broken() == []


def test_every_half_hour_of_both_nights_has_the_day_of_the_market(db):
    zone = ZoneInfo("Europe/London")
    rows("UPDATE members_wallet SET time_zone = 'Europe/London' WHERE code = 'TNG'")
    member = make_member(wallet="TNG")
    earn(member, 1, date(2027, 12, 31))
    [(number,)] = rows("SELECT zone FROM ledger.zone_day WHERE name = 'Europe/London'")
    for night in (
        datetime(2027, 3, 27, 20, 0, 10, tzinfo=UTC),
        datetime(2027, 10, 30, 20, 0, 10, tzinfo=UTC),
    ):
        for half_hours in range(64):
            instant = night + half_hours * HOUR / 2
            with at(instant):
                [(today,)] = rows("SELECT ledger.today(%s::smallint)", [number])
                earn(member, 1, date(2027, 12, 31))
                [(written,)] = rows(
                    "SELECT day FROM ledger.entry WHERE member_id = %s ORDER BY seq DESC LIMIT 1",
                    [member.pk],
                )
            assert today == written == instant.astimezone(zone).date()


def test_a_clock_that_wanders_about_midnight_keeps_every_promise(db):
    """Earns, spends, holds and sweeps while the day jumps: days of entries never go back."""
    chance = random.Random(SEED)
    members = [make_member() for _ in range(4)]
    for each in members:
        earn(each, 40, MARCH)
        earn(each, 40, MAY)
    for _ in range(STEPS):
        offset = chance.choice([-DAY, -HOUR, -HOUR / 4, HOUR / 4, HOUR, DAY])
        with at(MIDNIGHT + offset):
            verb = chance.choice(["earn", "spend", "hold", "sweep"])
            each = chance.choice(members)
            with suppress(errors.InsufficientCredits, errors.InvalidUntil):
                if verb == "sweep":
                    ledger.expire_batch(3)
                elif verb == "earn":
                    earn(each, 2, chance.choice([MARCH, MAY]))
                elif verb == "spend":
                    spend(each, 3)
                else:
                    held = ledger.hold(member_id=each.pk, op_id=uuid7(database_now()), amount=2)
                    ledger.void(member_id=each.pk, hold_op=held.op_id, op_id=uuid7(database_now()))
    back = rows(
        "SELECT 1 FROM (SELECT day < lag(day) OVER (PARTITION BY member_id ORDER BY seq) AS is_back"
        " FROM ledger.entry) d WHERE is_back"
    )
    assert (back, broken()) == ([], []), f"seed {SEED}"


def _refund(member, spent, held, corrected):
    ledger.refund(member_id=member.pk, op_id=uuid7(database_now()), orig_op=spent, amount=4)
    return Kind.REFUND


def _void(member, spent, held, corrected):
    ledger.void(member_id=member.pk, hold_op=held, op_id=uuid7(database_now()))
    return Kind.RELEASE


def _capture_less(member, spent, held, corrected):
    ledger.capture(member_id=member.pk, hold_op=held, op_id=uuid7(database_now()), amount=1)
    return Kind.CAPTURE


def _undo(member, spent, held, corrected):
    undo_adjustment(member_id=member.pk, op_id=uuid7(database_now()), orig_op=corrected)
    return Kind.ADJUST


@pytest.mark.parametrize("road", [_refund, _void, _capture_less, _undo])
@pytest.mark.parametrize("is_swept", [True, False])
def test_what_comes_back_into_a_month_that_is_over_is_a_pair_of_entries(db, road, is_swept):
    """Given back and expired, in one commit: the member reads both, and no credit is lost silently."""
    member = make_member()
    earn(member, 20, MARCH)
    spent = spend(member, 4).op_id
    held = ledger.hold(member_id=member.pk, op_id=uuid7(), amount=3).op_id
    corrected = ledger.adjust(member_id=member.pk, op_id=uuid7(), amount=-2).op_id
    with at(MIDNIGHT + HOUR):
        if is_swept:
            assert ledger.expire_batch() == 1
        lapsed_before = _expired(member)
        kind = road(member, spent, held, corrected)
        expiry, returned = list_entries(member)[:2]
        assert (returned.kind, expiry.kind) == (kind, Kind.EXPIRE)
        back = returned.available_change
        assert back > 0
        assert _expired(member) == lapsed_before + back + (0 if is_swept else 11)
        assert get_balance(member).available == 0
        [(in_bucket,)] = rows(
            "SELECT sum(sign(available_change) * alloc[2])::int FROM ledger.entry"
            " WHERE member_id = %s",
            [member.pk],
        )
        assert in_bucket == 0
    assert broken() == []


def _expired(member):
    return -sum(line.amount for line in list_entries(member) if line.kind == Kind.EXPIRE)


def test_a_return_killed_before_its_pair_is_whole_leaves_neither(cloned_database):
    """The two entries are one call: a session that ends between them has written nothing."""
    member = make_member()
    earn(member, 20, MARCH)
    spent = spend(member, 4).op_id
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute(
            "CREATE FUNCTION ledger.die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5);"
            " RETURN NEW; END $$;"
        )
        owner.execute(
            "CREATE TRIGGER dies BEFORE INSERT ON ledger.entry FOR EACH ROW"
            " WHEN (NEW.kind = 7) EXECUTE FUNCTION ledger.die()"
        )
        give_back = partial(ledger.refund, member_id=member.pk, orig_op=spent, amount=4)
        op = uuid7()
        with pytest.raises(Exception, match=r"terminat|closed"), at(MIDNIGHT + HOUR):
            give_back(op_id=op)
        connection.close()
        owner.execute("DROP TRIGGER dies ON ledger.entry")
    assert [line.kind for line in list_entries(member)] == [Kind.SPEND, Kind.EARN]
    with at(MIDNIGHT + HOUR):
        assert give_back(op_id=op).code == "ok"
        assert give_back(op_id=op).code == "replayed"
    assert [line.amount for line in list_entries(member)] == [-20, 4, -4, 20]
    assert broken() == []
