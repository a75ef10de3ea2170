"""Damage to claims, codes and slots is found, and named by exactly the promises it breaks.

Each case is SQL by the owner with every guard lifted, in a transaction that is rolled back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from benefits.verify import INVARIANTS as BENEFITS
from credits.verify import INVARIANTS as CREDITS
from tests import databases
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.factories import bind, make_member

STOCK, PRICE = 3, 10


@dataclass
class Scene:
    """Three codes at ten credits; Alice has the one, Bob the other, Carol none."""

    database: databases.Database
    names: dict[str, object]


@pytest.fixture(scope="module")
def scene(django_db_blocker) -> Iterator[Scene]:
    with (
        django_db_blocker.unblock(),
        databases.copy("scene") as database,
        databases.in_use(database, pool=False),
    ):
        alice, bob, carol = (make_member() for _ in range(3))
        for member in (alice, bob, carol):
            bind(member)
            give_credits(member, 50)
        release = make_release(make_benefit(price_credits=PRICE), codes=STOCK)
        first, second = claim(alice, release), claim(bob, release)
        give_credits(alice, 5)
        [free] = {1, 2, 3} - {first.slot, second.slot}
        yield Scene(
            database,
            {
                "first": first.pk, "second": second.pk, "op": first.op_id, "free": free,
                "alice": alice.pk, "carol": carol.pk, "release": release.pk,
                "slot": first.slot, "taken": second.slot,
            },
        )  # fmt: skip


# A claim copied, with what is said changed; its own key, name and operation are new.
COPY = """
    INSERT INTO benefits_claim
    SELECT (jsonb_populate_record(c, jsonb_build_object(
        'id', c.id + 1000, 'public_id', 'clm_copy', 'op_id', ledger.derived_op(c.op_id, 'copy'),
        {changes}
    ))).* FROM benefits_claim c WHERE id = {first}
"""
CASES = [
    (
        "sold beyond the stock",
        COPY.replace("{changes}", "'member_id', {carol}, 'slot', 4"),
        ["I16", "I18b", "I19", "I20", "I21b", "I40"],
    ),
    (
        "a second claim of one member",
        COPY.replace("{changes}", "'slot', {free}"),
        ["I17", "I19", "I20", "I21b", "I40"],
    ),
    (
        "one slot in two hands",
        COPY.replace("{changes}", "'member_id', {carol}"),
        ["I16", "I18", "I19", "I20", "I21b", "I40"],
    ),
    (
        "a code loaded twice",
        "UPDATE benefits_code SET code_index = (SELECT code_index FROM benefits_code"
        " WHERE release_id = {release} AND slot = {slot}) WHERE release_id = {release}"
        " AND slot = {taken}",
        ["I18"],
    ),
    (
        "a claim unpaid",
        "DELETE FROM ledger.entry WHERE op_id = '{op}'",
        ["I2", "I3", "I4", "I19"],
    ),
    (
        "a claim that vanished",
        "DELETE FROM benefits_claim WHERE id = {first}",
        ["I19", "I20", "I21d", "I40"],
    ),
    (
        "a slot that vanished",
        "UPDATE benefits_slotcounter SET next_slot = next_slot + 1"
        " WHERE release_id = {release} AND next_slot <= end_slot",
        ["I20", "I40"],
    ),
    (
        "a code taken out from under its claim",
        "DELETE FROM benefits_code WHERE release_id = {release} AND slot = {slot}",
        ["I18b", "I40"],
    ),
    (
        "an event that tells of another past",
        "UPDATE benefits_claimevent SET from_state = 'reserved' WHERE claim_id = {first}",
        ["I21e"],
    ),
    ("nothing", "SELECT 1", []),
]


@pytest.mark.parametrize(("label", "damage", "expected"), CASES, ids=[case[0] for case in CASES])
def test_damage_breaks_exactly_the_promises_it_should(scene, label, damage, expected):
    with scene.database.connect(as_owner=True) as owner, owner.transaction(force_rollback=True):
        _lift_guards(owner)
        owner.execute(damage.format(**scene.names))
        _set_guards(owner)
        broken = [
            promise.id
            for promise in (*CREDITS, *BENEFITS)
            if not promise.is_liveness and owner.execute(promise.sql).fetchall()
        ]
    assert broken == expected


def _journal(owner: psycopg.Connection) -> list[str]:
    found = owner.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ledger.entry'::regclass"
    )
    return ["ledger.entry", *(name for (name,) in found.fetchall())]


def _lift_guards(owner: psycopg.Connection) -> None:
    for table in (*_journal(owner), "benefits_claim", "benefits_code", "benefits_claimevent"):
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    uniques = owner.execute(
        "SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text, c.conname"
        " FROM pg_index i LEFT JOIN pg_constraint c"
        " ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid"
        " WHERE i.indisunique AND NOT i.indisprimary"
        " AND i.indrelid IN ('benefits_claim'::regclass, 'benefits_code'::regclass)"
    ).fetchall()
    for index, table, constraint in uniques:
        if constraint:
            owner.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}" CASCADE')
        else:
            owner.execute(f"DROP INDEX {index}")


def _set_guards(owner: psycopg.Connection) -> None:
    owner.execute("SET CONSTRAINTS ALL DEFERRED")
    for table in _journal(owner):
        for guard in ("guard_change", "guard_truncate"):
            owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}")
