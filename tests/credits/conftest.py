"""What the tests of the ledger share: short verbs, the books, travel in time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from credits.verify import INVARIANTS


def rows(sql: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def broken() -> list[str]:
    """The ids of the invariants that do not hold, warnings left out."""
    return [i.id for i in INVARIANTS if not i.is_liveness and rows(i.sql)]


def standing(member_id: int) -> tuple[Any, ...]:
    """Everything stored about one member: equal before and after means nothing was written."""
    return (
        rows("SELECT * FROM ledger.account WHERE member_id = %s", [member_id]),
        rows("SELECT * FROM ledger.entry WHERE member_id = %s ORDER BY seq", [member_id]),
        rows("SELECT * FROM ledger.hold WHERE member_id = %s ORDER BY op_id", [member_id]),
        rows("SELECT * FROM ledger.lot_due WHERE member_id = %s ORDER BY month", [member_id]),
    )


@contextmanager
def travel(offset: timedelta) -> Iterator[None]:
    """Let the database believe that this much time has passed, for this session."""
    before = rows("SELECT current_setting('zone.clock_offset', true)")[0][0] or ""
    rows("SELECT set_config('zone.clock_offset', %s, false)", [f"{int(offset.total_seconds())} s"])
    try:
        yield
    finally:
        rows("SELECT set_config('zone.clock_offset', %s, false)", [before])


@pytest.fixture(autouse=True)
def _sound_books(request: pytest.FixtureRequest) -> Iterator[None]:
    """The books are sound after every test that has a database and did not damage them itself."""
    has_books = "db" in request.fixturenames
    if has_books:
        request.getfixturevalue("db")  # So that this ends before what the test wrote is undone.
    yield
    if has_books and "damages_books" not in request.keywords:
        assert broken() == []
