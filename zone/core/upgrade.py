"""Databases of development versions whose steps this version no longer has one by one."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

# The last commit with every single migration in it.
LAST_WITH_EVERY_STEP = "1397393"


def find_half_way() -> list[str]:
    """Rooms whose database has a part of what is one migration now.

    Django would leave such a room as it is without a word, and the code would run on tables that
    it was not written for.
    """
    applied = MigrationRecorder(connection).applied_migrations()
    rooms = []
    for key, migration in MigrationLoader(None).disk_migrations.items():
        steps = {tuple(step) in applied for step in migration.replaces}
        if key not in applied and steps == {True, False}:
            rooms.append(key[0])
    return sorted(rooms)


def tell_half_way(rooms: Sequence[str]) -> str:
    """What an operator does about it."""
    return (
        f"The tables of {', '.join(rooms)} stand between two versions. Check out commit "
        f"{LAST_WITH_EVERY_STEP}, run `manage.py prepare` with it, then this version again."
    )


@checks.register(checks.Tags.database)
def check_half_way(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """`migrate` asks before it begins; `check` only when it is given a database."""
    rooms = find_half_way() if databases else []
    return [checks.Error(tell_half_way(rooms), id="core.E001")] if rooms else []
