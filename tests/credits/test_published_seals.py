"""The signed log of roots: written once, taken over after a kill, and it tells on everybody."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings as django_settings

from credits.queries.seals import list_seals
from credits.services import anchoring
from credits.services.anchoring import LogBroken, check_log, publish_seals
from credits.services.sealing import seal
from tests.credits.conftest import broken, rows
from tests.credits.test_seals import _earn, _guards_lifted
from tests.factories import make_member

KEY = "07" * 32


@pytest.fixture
def log(cloned_database, settings, tmp_path):
    settings.SEAL_LOG = str(tmp_path / "seals.jsonl")
    settings.SEAL_LOG_KEY = bytes.fromhex(KEY)
    member = make_member().pk
    for _ in range(3):
        _earn(member)
        seal()
        assert publish_seals() is not None
    return cloned_database, tmp_path / "seals.jsonl", member


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def _wrong():
    return [str(finding) for finding in check_log()]


def test_each_new_root_is_published_once_and_later_blocks_name_it(log):
    _database, path, _member = log
    assert publish_seals() is None  # Nothing new.
    lines = _lines(path)
    assert [(line["n"], line["block"]) for line in lines] == [(1, 1), (2, 2), (3, 3)]
    assert lines[0]["before"] == "00" * 32
    assert [line["root"] for line in lines] == [s.root.hex() for s in reversed(list_seals())]
    hashes = [row[0] for row in rows("SELECT line_hash FROM ledger.anchor ORDER BY n")]
    named = [row[0] for row in rows("SELECT anchor_reference FROM ledger.seal ORDER BY block")]
    assert named == ["", hashes[0], hashes[1]]
    assert [line["before"] for line in lines[1:]] == hashes[:2]
    assert (_wrong(), broken()) == ([], [])


def test_a_ledger_rewritten_whole_is_told_by_the_log(log):
    """Every root made to fit again: inside the database nothing is wrong, outside it is."""
    database, _path, _member = log
    with database.connect(as_owner=True) as owner, _guards_lifted(owner):
        owner.execute("UPDATE ledger.entry SET reason = 'x' WHERE seq = 3")
        owner.execute(
            "UPDATE ledger.seal_leaf SET leaves = ARRAY[(SELECT ledger.leaf_of(e) FROM ledger.entry e"
            " WHERE seq = 3)] WHERE block = 3"
        )
        owner.execute(
            "UPDATE ledger.seal s SET root = ledger.seal_root(s, (SELECT ledger.tree_root(leaves)"
            " FROM ledger.seal_leaf WHERE block = 3)) WHERE block = 3"
        )
    assert broken() == []
    assert _wrong() == ["block 3: its root is not the published one"]
    told = database.manage(
        "verify_books", "--seals", "--full", "--only", "I25",
        SEAL_LOG=django_settings.SEAL_LOG, SEAL_LOG_KEY=KEY,
    )  # fmt: skip
    assert told.returncode == 1
    assert "block 3: its root is not the published one" in told.stdout
    assert anchoring.public_key() in told.stdout


DAMAGES = [
    (lambda lines: lines[:-1], "the log ends with line 2, but 3 were published"),
    (lambda lines: [lines[0], lines[2]], "line 2 of the log is not ours"),
    (
        lambda lines: [lines[0].replace(b'"block":1', b'"block":2'), *lines[1:]],
        "line 1 of the log is not ours",
    ),
    (lambda lines: [*lines, b"x"], "line 4 of the log is not ours"),
]


def test_a_damaged_log_is_named(log):
    _database, path, _member = log
    lines = path.read_bytes().splitlines()
    for damage, expected in DAMAGES:
        path.write_bytes(b"".join(line + b"\n" for line in damage(lines)))
        assert any(expected in finding for finding in _wrong()), expected
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    assert _wrong() == []


@pytest.mark.parametrize("damage", [DAMAGES[0][0], DAMAGES[3][0]], ids=["cut short", "rubbish"])
def test_nothing_is_added_to_a_log_that_was_damaged(log, damage):
    _database, path, member = log
    lines = damage(path.read_bytes().splitlines())
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    before = path.read_bytes()
    _earn(member)
    seal()
    with pytest.raises(LogBroken):
        publish_seals()
    assert path.read_bytes() == before


def test_a_publisher_killed_before_the_database_knows_is_taken_over(log):
    database, path, member = log
    _earn(member)
    seal()
    env = {
        **os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings",
        "SEAL_LOG": str(path), "SEAL_LOG_KEY": KEY, "ZONE_FAILPOINT": "seal_log_before_note",
    }  # fmt: skip
    run = "import django; django.setup(); from credits.services.anchoring import publish_seals as p; p()"
    died = subprocess.run(
        [sys.executable, "-c", run], env=env, cwd=django_settings.BASE_DIR, timeout=120, check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert len(_lines(path)) == 4
    assert rows("SELECT max(n) FROM ledger.anchor") == [(3,)]
    assert publish_seals() is None  # Its line is noted, not written again.
    assert rows("SELECT max(n) FROM ledger.anchor") == [(4,)]
    assert len(_lines(path)) == 4
    assert _wrong() == []


def test_without_a_log_nothing_is_published(cloned_database, settings):
    settings.SEAL_LOG = ""
    _earn(make_member().pk)
    seal()
    assert publish_seals() is None
    assert rows("SELECT count(*) FROM ledger.anchor") == [(0,)]
