"""Damage to gifts with friends is found, and named by exactly the promises it breaks.

Each case is SQL by the owner with every guard lifted, in a transaction that is rolled back.
"""

import pytest

from benefits.services.gift_opening import decline_gift
from benefits.verify import INVARIANTS as BENEFITS
from credits.verify import INVARIANTS as CREDITS
from tests import databases
from tests.benefits.gifting import open_
from tests.benefits.grouping import (
    call_off,
    make_friend,
    make_priced_release,
    put_in,
    start,
)
from zone.core.clock import database_now

TABLES = ("benefits_claim", "benefits_grouppart", "benefits_groupgift", "ledger.hold")


@pytest.fixture(scope="module")
def scene(django_db_blocker):
    """One that collects, one complete, one that came back, one called off; fifteen from Ben each."""
    with (
        django_db_blocker.unblock(),
        databases.copy("groups") as database,
        databases.in_use(database, pool=False),
    ):
        ann, ben, zoe = make_friend(), make_friend(), make_friend()
        names = {"zoe": zoe.pk, "ann": ann.pk}
        for name, last in (("open", 5), ("made", 20), ("back", 20), ("off", 5)):
            group = start(ann, make_priced_release())
            names[f"{name}_part"] = put_in(group, ben, last).pk
            group.refresh_from_db()
            names[name] = group.pk
            if name == "back":
                gift = open_(group.gift, zoe)
                decline_gift(gift=gift, member=zoe, now=database_now())
            if name == "off":
                call_off(group)
        yield database, names


CASES = [
    (
        "a gift that says it collected more",
        "UPDATE benefits_groupgift SET collected = collected + 1 WHERE id = {open}",
        ["I58"],
    ),
    (
        "a gift made for less than its price",
        "UPDATE benefits_groupgift SET price_credits = price_credits + 1 WHERE id = {made}",
        ["I58"],
    ),
    (
        "a part that vanished, and its hold stayed",
        "DELETE FROM benefits_grouppart WHERE id = {open_part}",
        ["I58", "I59"],
    ),
    (
        "a part still held by what was called off",
        "UPDATE benefits_grouppart SET state = 'held', closed_at = NULL WHERE id = {off_part}",
        ["I58", "I59"],
    ),
    (
        "a part taken, and its hold not captured",
        "UPDATE benefits_grouppart SET state = 'taken', capture_op = op_id WHERE id = {open_part}",
        ["I58", "I59"],
    ),
    (
        "another amount than was held",
        "UPDATE benefits_grouppart SET amount = amount + 1 WHERE id = {open_part};"
        "UPDATE benefits_groupgift SET collected = collected + 1 WHERE id = {open}",
        ["I59"],
    ),
    (
        "two gifts of one claim",
        "UPDATE benefits_groupgift SET claim_id ="
        " (SELECT claim_id FROM benefits_groupgift WHERE id = {made}) WHERE id = {back}",
        ["I60"],
    ),
    (
        "a second claim made of one gift",
        "INSERT INTO benefits_claimevent (claim_id, at, actor, cause, from_state, to_state)"
        " SELECT claim.id, now(), 'group:ggf_another', 'claim', '', claim.state"
        " FROM benefits_groupgift own JOIN benefits_claim claim ON claim.id = own.claim_id"
        " WHERE own.id = {back}",
        ["I21e", "I60"],
    ),
    (
        "what friends paid for became its starter's own",
        "UPDATE benefits_gift SET state = 'stopped', next_attempt_at = NULL WHERE id ="
        " (SELECT gift_id FROM benefits_groupgift WHERE id = {made});"
        "UPDATE benefits_claim SET frozen_at = NULL WHERE id ="
        " (SELECT claim_id FROM benefits_groupgift WHERE id = {made})",
        ["I60"],
    ),
    (
        "a claim that another has",
        "UPDATE benefits_groupgift SET starter_id = {zoe} WHERE id = {made}",
        ["I60", "I62"],
    ),
    (
        "a share that came back and is not written down",
        "UPDATE benefits_grouppart SET refunded = 0 WHERE id = {back_part}",
        ["I61"],
    ),
    (
        "a share of what did not come back",
        "UPDATE benefits_grouppart SET refunded = 1 WHERE id = {made_part}",
        ["I61"],
    ),
    (
        "a unit still held for what was called off",
        "UPDATE benefits_groupgift SET state = 'called_off', closed_at = now(), collected = 0"
        " WHERE id = {open}",
        ["I58", "I59", "I62"],
    ),
    ("nothing", "SELECT 1", []),
]


@pytest.mark.parametrize(("label", "damage", "expected"), CASES, ids=[case[0] for case in CASES])
def test_damage_breaks_exactly_the_promises_it_should(scene, label, damage, expected):
    database, names = scene
    with database.connect(as_owner=True) as owner, owner.transaction(force_rollback=True):
        _lift_guards(owner)
        owner.execute(damage.format(**names))
        broken = [
            promise.id
            for promise in (*CREDITS, *BENEFITS)
            if not promise.is_liveness and owner.execute(promise.sql).fetchall()
        ]
    assert broken == expected


def test_one_kept_open_beyond_its_end_is_told(scene):
    database, names = scene
    [late] = [promise for promise in BENEFITS if promise.id == "I63"]
    with database.connect(as_owner=True) as owner, owner.transaction(force_rollback=True):
        assert owner.execute(late.sql).fetchall() == []
        owner.execute(
            "UPDATE benefits_groupgift SET ends_at = now() - interval '6 minutes' WHERE id = %s",
            [names["open"]],
        )
        assert len(owner.execute(late.sql).fetchall()) == 1


def _lift_guards(owner):
    for table in TABLES:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    checks = owner.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE contype IN ('c', 'u') AND conrelid IN"
        " ('benefits_grouppart'::regclass, 'benefits_groupgift'::regclass)"
        " AND conname NOT LIKE '%_check'"
    ).fetchall()
    for table, name in checks:
        owner.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}" CASCADE')
