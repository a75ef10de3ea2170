"""Damage done behind the ledger's back is found, and named by exactly the promises it breaks.

Each case is SQL by the owner with every guard lifted, in a transaction that is rolled back.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest

from credits import ledger
from credits.kinds import Funding
from credits.verify import INVARIANTS
from tests import databases
from tests.credits.conftest import travel
from tests.factories import make_member
from zone.core.ids import uuid7

JANUARY, MARCH, MAY = date(2027, 1, 31), date(2027, 3, 31), date(2027, 5, 31)
# The same months as bucket keys, promotional.
K_JANUARY, K_MARCH, K_MAY = 648, 652, 656


OPS = [uuid7() for _ in range(12)]


def _play_scene() -> int:
    """One member's year: earned, spent, held, refunded, lapsed. Returns the member's key."""
    member = make_member().pk
    other = make_member().pk
    ledger.earn(member_id=other, op_id=uuid7(), amount=50, until=MAY, funding=Funding.PAID)
    ledger.earn(member_id=member, op_id=OPS[0], amount=10, until=JANUARY)
    ledger.earn(member_id=member, op_id=OPS[1], amount=30, until=MARCH)
    ledger.earn(member_id=member, op_id=OPS[2], amount=60, until=MAY)
    ledger.spend(member_id=member, op_id=OPS[3], amount=4)  # January: 6 left
    with travel(timedelta(days=80)):  # February: the 6 lapse
        ledger.spend(member_id=member, op_id=OPS[4], amount=20)  # March: 10 left
        ledger.spend(member_id=member, op_id=OPS[5], amount=10)  # March: empty
        ledger.spend(member_id=member, op_id=OPS[6], amount=15)  # May: 45 left
        ledger.refund(member_id=member, op_id=OPS[7], orig_op=OPS[6], amount=5)
        ledger.hold(member_id=member, op_id=OPS[8], amount=7)
        ledger.hold(member_id=member, op_id=OPS[9], amount=8)
        ledger.capture(member_id=member, hold_op=OPS[9], op_id=OPS[10])
    return member


@pytest.fixture(scope="module")
def scene(django_db_blocker) -> Iterator[tuple[databases.Database, int]]:
    with (
        django_db_blocker.unblock(),
        databases.copy("scene") as database,
        databases.in_use(database, pool=False),
    ):
        yield database, _play_scene()


CASES = [
    (
        "balance and bucket bumped",
        "UPDATE ledger.account SET available = available + 5, bucket_left[1] = bucket_left[1] + 5"
        " WHERE member_id = {m}",
        ["I2", "I4"],
    ),
    (
        "journal amount edited",
        "UPDATE ledger.entry SET available_change = -14 WHERE op_id = '{op[6]}'",
        ["I2", "I3", "I8"],
    ),
    (
        "row deleted",
        "DELETE FROM ledger.entry WHERE op_id = '{op[5]}'",
        ["I2", "I3", "I4", "I9"],
    ),
    (
        "row doubled under a new id",
        """
        INSERT INTO ledger.entry
        SELECT member_id, ledger.derived_op(op_id, 'again'), posted_at, occurred_at, txid, orig_op,
               seq, available_change, held_change, debt_change, available_after, held_after,
               debt_after, day, kind, counter, alloc, reason, related
        FROM ledger.entry WHERE op_id = '{op[6]}'
        """,
        ["I2", "I3", "I4"],
    ),
    (
        "bucket moved to a later month",
        "UPDATE ledger.account SET bucket_keys[1] = bucket_keys[1] + 2 WHERE member_id = {m}",
        ["I4"],
    ),
    (
        "spent from a lapsed bucket",
        f"UPDATE ledger.entry SET alloc[1] = {K_JANUARY} WHERE op_id = '{{op[5]}}'",
        ["I4", "I9", "I10"],
    ),
    (
        "a later bucket spent first",
        f"UPDATE ledger.entry SET alloc[1] = {K_MAY} WHERE op_id = '{{op[4]}}'",
        ["I4", "I9"],
    ),
    (
        "lapsed early",
        f"UPDATE ledger.entry SET alloc[1] = {K_MAY} WHERE kind = 7 AND member_id = {{m}}",
        ["I4", "I12"],
    ),
    ("hold lost", "DELETE FROM ledger.hold WHERE op_id = '{op[8]}'", ["I13"]),
    (
        "hold resolved silently",
        "UPDATE ledger.hold SET state = 2, resolved_at = now(), resolved_op = '{op[11]}'"
        " WHERE op_id = '{op[8]}'",
        ["I13", "I14"],
    ),
    (
        "refunded beyond the spend",
        "UPDATE ledger.entry SET available_change = 16 WHERE op_id = '{op[7]}'",
        ["I2", "I3", "I8", "I24"],
    ),
    (
        "operation id used twice",
        "UPDATE ledger.entry SET op_id = '{op[5]}' WHERE op_id = '{op[4]}'",
        ["I7"],
    ),
    (
        "negative, unsorted buckets",
        "UPDATE ledger.account SET bucket_keys = '{{656,652}}', bucket_left = '{{-9,2}}',"
        " available = -7 WHERE member_id = {m}",
        ["I1", "I2", "I4", "I5"],
    ),
    (
        "posted before its operation was made",
        "UPDATE ledger.entry SET posted_at = posted_at - interval '1 day' WHERE op_id = '{op[0]}'",
        ["I29"],
    ),
    (
        "a day that went back",
        "UPDATE ledger.entry SET day = day - 85 WHERE op_id = '{op[7]}'",
        ["I29"],
    ),
    ("right to rewrite given away", "GRANT UPDATE ON ledger.entry TO zone_readonly", ["I27"]),
    ("guard dropped from the seals", "DROP TRIGGER guard_change ON ledger.seal", ["I27"]),
    ("nothing", "SELECT 1", []),
]


@pytest.mark.parametrize(("label", "damage", "expected"), CASES, ids=[case[0] for case in CASES])
def test_damage_breaks_exactly_the_promises_it_should(scene, label, damage, expected):
    database, member = scene
    with database.connect(as_owner=True) as owner, owner.transaction(force_rollback=True):
        _lift_guards(owner)
        owner.execute(damage.format(m=member, op=OPS))
        _set_guards(owner)

        broken = [i.id for i in INVARIANTS if not i.is_liveness and owner.execute(i.sql).fetchall()]

    assert broken == expected


def test_a_guard_taken_away_is_named(scene):
    database, _ = scene
    with database.connect(as_owner=True) as owner, owner.transaction(force_rollback=True):
        owner.execute("ALTER TABLE ledger.entry DISABLE TRIGGER guard_change")
        [i27] = [i for i in INVARIANTS if i.id == "I27"]
        assert ("entry", "", "guard_change") in owner.execute(i27.sql).fetchall()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.entry SET reason = 'x'",
        "DELETE FROM ledger.entry",
        "TRUNCATE ledger.entry",
        "UPDATE ledger.account SET available = 0",
        "INSERT INTO ledger.zone_day (name, day, floor) VALUES ('x', now(), 1)",
        "SELECT ledger.write_expiry(null, null, 1, 1, 1, 1, null)",
        "UPDATE ledger.account_view SET available = 0",
        "ALTER TABLE ledger.entry DISABLE TRIGGER ALL",
    ],
)
def test_the_application_cannot_write_the_books(scene, statement):
    database, _ = scene
    with database.connect() as app, pytest.raises(psycopg.Error) as refusal:
        app.execute(statement)
    assert refusal.value.sqlstate in ("42501", "55000")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger.entry SET reason = 'x'", "DELETE FROM ledger.entry", "TRUNCATE ledger.entry"],
)
def test_even_the_owner_meets_the_guards(scene, statement):
    database, _ = scene
    with (
        database.connect(as_owner=True) as owner,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
    ):
        owner.execute(statement)


def _entry_tables(owner: psycopg.Connection) -> list[str]:
    found = owner.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ledger.entry'::regclass"
    )
    return ["ledger.entry", *(name for (name,) in found.fetchall())]


def _lift_guards(owner: psycopg.Connection) -> None:
    for table in _entry_tables(owner):
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER guard_change")
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER guard_truncate")
    owner.execute("ALTER TABLE ledger.entry DROP CONSTRAINT entry_is_sound")
    owner.execute("ALTER TABLE ledger.entry DROP CONSTRAINT entry_pkey")
    owner.execute("ALTER TABLE ledger.account DROP CONSTRAINT account_is_sound")


def _set_guards(owner: psycopg.Connection) -> None:
    for table in _entry_tables(owner):
        owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER guard_change")
        owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER guard_truncate")
