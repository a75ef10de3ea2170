"""Seals: nothing early, nothing skipped, and whatever is changed afterwards has a name."""

import hashlib
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from credits import ledger
from credits.queries.seals import ENTRY_COLUMNS, canonical, check_seals, list_seals
from credits.services.sealing import seal
from credits.verify import INVARIANTS
from credits.verify_statement import audit_path, leaf_of, root_by_path, tree_root
from tests.credits.conftest import broken, rows
from tests.factories import make_member
from zone.core.ids import uuid7


def _earn(member_id, amount=10):
    return ledger.earn(member_id=member_id, op_id=uuid7(), amount=amount).op_id


@contextmanager
def _guards_lifted(owner):
    """What a superuser can do, and what no promise of the database stops."""
    tables = ["ledger.entry", "ledger.seal", "ledger.seal_leaf"]
    tables += [
        name for (name,) in owner.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'ledger.entry'::regclass"
        ).fetchall()
    ]  # fmt: skip
    for table in tables:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER guard_change")
    yield
    for table in tables:
        owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER guard_change")


def test_a_block_says_what_it_sealed(cloned_database):
    member = make_member().pk
    _earn(member, 50)
    spent = ledger.spend(member_id=member, op_id=uuid7(), amount=20)

    assert seal() == 1
    assert seal() == 0  # Nothing new: no block.

    [block] = list_seals()
    assert (block.block, block.tx_lo, block.prev_root) == (1, 0, bytes(32))
    assert (block.entry_count, block.available_sum, block.held_sum, block.debt_sum) == (2, 30, 0, 0)
    assert rows("SELECT counter, kind, entry_count, amount FROM ledger.rollup ORDER BY kind") == [
        (10, 1, 1, -50),
        (30, 2, 1, 20),
    ]
    assert spent.available == 30
    assert list(check_seals()) == []
    assert broken() == []


def test_blocks_are_chained_and_have_a_size(cloned_database):
    member = make_member().pk
    for _ in range(7):
        _earn(member)
    with cloned_database.connect() as app:
        numbers = [app.execute("SELECT ledger.seal_next(3)").fetchone()[0] for _ in range(4)]
    assert numbers == [1, 2, 3, None]
    newest, middle, oldest = list_seals()
    assert [s.entry_count for s in (oldest, middle, newest)] == [3, 3, 1]
    assert (middle.prev_root, newest.prev_root) == (oldest.root, middle.root)
    assert (middle.tx_lo, newest.tx_lo) == (oldest.tx_hi, middle.tx_hi)
    assert list(check_seals()) == []


def test_one_transaction_is_never_cut(cloned_database):
    member = make_member().pk
    answers = ledger.earn_batch(
        [ledger.Earn(member_id=member, op_id=uuid7(), amount=1) for _ in range(5)]
    )
    assert len(answers) == 5
    with cloned_database.connect() as app:
        assert app.execute("SELECT ledger.seal_next(2)").fetchone() == (1,)
    assert list_seals()[0].entry_count == 5


def test_a_late_commit_is_neither_sealed_early_nor_skipped(cloned_database):
    early, late = make_member().pk, make_member().pk
    _earn(early)  # The first entry of a market opens its day, which others wait for.
    assert seal() == 1
    with cloned_database.connect() as slow:
        slow.execute("BEGIN")
        slow.execute(
            "SELECT ledger.earn(%s, %s, 10, NULL, 0::smallint, 10::smallint, '', '', NULL, NULL)",
            [late, uuid7()],
        )
        after = _earn(early)  # A later transaction, finished first.

        assert seal() == 0
        assert len(list_seals()) == 1

        slow.execute("COMMIT")
    assert seal() == 1
    assert rows("SELECT members FROM ledger.seal_leaf WHERE block = 2") == [([late, early],)]
    assert rows("SELECT ops[2] FROM ledger.seal_leaf WHERE block = 2") == [(after,)]
    assert broken() == []


def test_what_was_finished_before_an_open_transaction_is_sealed_without_it(cloned_database):
    early, late = make_member().pk, make_member().pk
    _earn(early)
    with cloned_database.connect() as slow:
        slow.execute("BEGIN")
        slow.execute(
            "SELECT ledger.earn(%s, %s, 10, NULL, 0::smallint, 10::smallint, '', '', NULL, NULL)",
            [late, uuid7()],
        )
        assert seal() == 1
        slow.execute("COMMIT")
    assert seal() == 1
    assert rows("SELECT members FROM ledger.seal_leaf ORDER BY block") == [([early],), ([late],)]


def test_two_sealers_do_not_meet(cloned_database):
    _earn(make_member().pk)
    with cloned_database.connect() as one, cloned_database.connect() as two:
        one.execute("BEGIN")
        assert one.execute("SELECT ledger.seal_next()").fetchone() == (1,)
        assert two.execute("SELECT ledger.seal_next()").fetchone() == (None,)
        one.execute("ROLLBACK")
        assert two.execute("SELECT ledger.seal_next()").fetchone() == (1,)


def test_python_and_sql_hash_the_same_bytes(cloned_database):
    member = make_member().pk
    ledger.earn(
        member_id=member,
        op_id=uuid7(),
        amount=7,
        reason="礼物:1,",
        occurred_at=datetime(2026, 1, 1, 1, 2, 3, 456789, tzinfo=UTC),
    )
    held = ledger.hold(member_id=member, op_id=uuid7(), amount=3)
    ledger.void(member_id=member, hold_op=held.op_id, op_id=uuid7())
    ours = {
        row[1]: leaf_of(canonical(row)) for row in rows(f"SELECT {ENTRY_COLUMNS} FROM ledger.entry")
    }
    theirs = {
        op: bytes(leaf) for op, leaf in rows("SELECT op_id, ledger.leaf_of(e) FROM ledger.entry e")
    }
    assert len(ours) == 3
    assert ours == theirs


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 33])
def test_the_tree_is_that_of_rfc_6962(db, count):
    leaves = [hashlib.sha256(b"%d" % n).digest() for n in range(count)]
    root = tree_root(leaves)
    assert root == _rfc_6962(leaves)
    assert bytes(rows("SELECT ledger.tree_root(%s::bytea[])", [leaves])[0][0]) == root
    for place, leaf in enumerate(leaves):
        assert root_by_path(leaf, place, count, audit_path(leaves, place)) == root


def _rfc_6962(leaves):
    """RFC 6962, section 2.1, word for word, over hashes of leaves."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + _rfc_6962(leaves[:k]) + _rfc_6962(leaves[k:])).digest()


DAMAGE = [
    ("changed", "UPDATE ledger.entry SET reason = 'x' WHERE op_id = %(op)s", ["I26r"]),
    ("removed", "DELETE FROM ledger.entry WHERE op_id = %(op)s", ["I2", "I4", "I6", "I26", "I26r"]),
    (
        "added",
        "INSERT INTO ledger.entry SELECT member_id, %(new)s, posted_at, occurred_at, txid, orig_op,"
        " seq + 1, available_change, held_change, debt_change, available_after + 10, held_after,"
        " debt_after, day, kind, counter, alloc, reason, related"
        " FROM ledger.entry WHERE op_id = %(op)s",
        ["I2", "I4", "I6", "I26", "I26r"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "damage", "fired"), DAMAGE, ids=[case[0] for case in DAMAGE])
def test_a_damaged_row_is_named_with_its_block(cloned_database, what, damage, fired):
    member, other = make_member().pk, make_member().pk
    _earn(other)
    seal()
    _earn(other)
    op = _earn(member)
    _earn(other)
    seal()
    _earn(other)
    seal()
    new = uuid7()

    with cloned_database.connect(as_owner=True) as owner, _guards_lifted(owner):
        owner.execute(damage, {"op": op, "new": new})

    [finding] = check_seals()
    named = new if what == "added" else op
    assert (finding.block, finding.member_id, finding.op_id) == (2, member, named)
    assert finding.what == f"was {what}"
    assert broken() == fired
    [i26r] = [i for i in INVARIANTS if i.id == "I26r"]
    assert rows(i26r.sql) == [(2, member, named, what)]

    told = cloned_database.manage("verify_books", "--seals", "--only", "I25")
    assert told.returncode == 1
    assert f"block 2: member {member}, operation {named} was {what}\n" in told.stdout


def test_a_block_rewritten_with_its_row_breaks_the_chain(cloned_database):
    member = make_member().pk
    op = _earn(member)
    seal()
    _earn(member)
    seal()
    with cloned_database.connect(as_owner=True) as owner, _guards_lifted(owner):
        owner.execute("UPDATE ledger.entry SET reason = 'x' WHERE op_id = %s", [op])
        owner.execute(
            "UPDATE ledger.seal_leaf SET leaves = ARRAY[(SELECT ledger.leaf_of(e) FROM ledger.entry e"
            " WHERE op_id = %s)] WHERE block = 1", [op]
        )  # fmt: skip
        assert [str(f) for f in check_seals()] == [
            "block 1: was rewritten: its root does not follow from its leaves"
        ]
        owner.execute(
            "UPDATE ledger.seal s SET root = ledger.seal_root(s, (SELECT ledger.tree_root(leaves)"
            " FROM ledger.seal_leaf WHERE block = 1)) WHERE block = 1"
        )
    assert [str(f) for f in check_seals()] == ["block 2: does not follow the block before it"]
    assert broken() == ["I25"]


def test_the_app_cannot_write_seals(cloned_database):
    for table in ("seal", "seal_leaf", "rollup", "brin_mark"):
        with cloned_database.connect() as app:
            assert app.execute(
                "SELECT has_table_privilege(%s, 'INSERT, UPDATE, DELETE, TRUNCATE')",
                [f"ledger.{table}"],
            ).fetchone() == (False,)


def test_closed_ranges_are_summarised_once(cloned_database):
    with cloned_database.connect() as app:
        assert app.execute("SELECT ledger.summarize_closed()").fetchone() == (0,)


def test_the_roots_are_open_to_everybody(cloned_database, client):
    member = make_member().pk
    _earn(member)
    seal()
    [block] = list_seals()

    page = client.get("/credits/seals")
    assert page.status_code == 200
    assert block.root.hex() in page.content.decode()

    answer = client.get("/credits/seals.json")
    assert answer.json() == {
        "seals": [
            {
                "block": 1,
                "root": block.root.hex(),
                "prev_root": "00" * 32,
                "entry_count": 1,
                "sealed_at": block.sealed_at.isoformat().replace("+00:00", "Z"),
            }
        ],
        "more_before": None,
    }
    assert client.get("/credits/seals.json?before=1").json() == {"seals": [], "more_before": None}
    assert client.get("/credits/seals?before=x").status_code == 404
