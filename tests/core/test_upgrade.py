"""Databases made by the many migrations that one migration a room stands for now."""

import pytest
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunSQL

from zone.core.upgrade import find_half_way

STEPS = MigrationLoader(None).disk_migrations
SQUASHED = sorted(key for key, migration in STEPS.items() if migration.replaces)
EVERYTHING = """
SELECT 'column', attrelid::regclass::text, attname::text, format_type(atttypid, atttypmod),
       attnotnull::text
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE attnum > 0 AND NOT attisdropped AND relnamespace IN ('public'::regnamespace, 'ledger'::regnamespace)
UNION ALL
SELECT 'rule', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), ''
FROM pg_constraint
UNION ALL
SELECT 'index', indexrelid::regclass::text, '', pg_get_indexdef(indexrelid), '' FROM pg_index
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname::text, pg_get_triggerdef(oid), '' FROM pg_trigger
UNION ALL
SELECT 'function', oid::regprocedure::text, '', prosrc, proacl::text
FROM pg_proc WHERE pronamespace IN ('public'::regnamespace, 'ledger'::regnamespace)
ORDER BY 1, 2, 3, 4
"""
FIRST_ROWS = """
SELECT (SELECT count(*) FROM members_wallet), (SELECT count(*) FROM credits_earnrule),
       (SELECT count(*) FROM credits_tier), (SELECT count(*) FROM credits_mission),
       (SELECT count(*) FROM benefits_wishmark)
"""


@pytest.fixture
def owner(cloned_database):
    """A database as the last version with every step left it: the new names are not recorded."""
    with cloned_database.connect(as_owner=True) as connection:
        names = [f"{app}.{name}" for app, name in SQUASHED]
        forgotten = connection.execute(
            "DELETE FROM django_migrations WHERE app || '.' || name = ANY(%s)", [names]
        )
        assert forgotten.rowcount == len(SQUASHED) > 0
        yield connection


def recorded(owner) -> set[tuple[str, str]]:
    return set(owner.execute("SELECT app, name FROM django_migrations").fetchall())


def everything(owner) -> list[tuple]:
    return owner.execute(EVERYTHING).fetchall() + owner.execute(FIRST_ROWS).fetchall()


def test_a_complete_database_is_recorded_and_not_touched(owner, cloned_database):
    before, steps = everything(owner), recorded(owner)
    assert find_half_way() == []

    done = cloned_database.manage("migrate", "--noinput", "-v0")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert recorded(owner) == steps | set(SQUASHED)
    assert everything(owner) == before


@pytest.mark.parametrize("command", [("migrate", "--noinput"), ("prepare",)])
def test_a_database_between_two_versions_is_refused_with_the_way_on(
    command, owner, cloned_database
):
    owner.execute(
        "DELETE FROM django_migrations WHERE (app, name) = ('credits', '0028_plain_amounts')"
    )
    steps = recorded(owner)

    done = cloned_database.manage(*command)

    assert done.returncode == 1
    assert "The tables of credits stand between two versions. Check out commit" in done.stderr
    assert recorded(owner) == steps


def test_every_file_of_sql_is_loaded_by_a_migration():
    loaded = {
        operation.sql
        for migration in STEPS.values()
        for operation in migration.operations
        if isinstance(operation, RunSQL)
    }
    files = [
        file
        for room in ("zone", "credits", "benefits")
        for file in (settings.BASE_DIR / room).rglob("sql/*.sql")
    ]
    assert len(files) > 40
    assert [file.name for file in files if file.read_text(encoding="utf-8") not in loaded] == []


def test_an_empty_database_is_not_between_two_versions(cloned_database):
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("TRUNCATE django_migrations")

    assert find_half_way() == []
