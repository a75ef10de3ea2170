"""The promises of benefits, asked inside a test's own transaction; and its own time."""

from datetime import timedelta

from django.db import connection

from benefits.verify import INVARIANTS


def travel(**delta: float) -> None:
    """Move the database's clock to so far from now, for this test's connection alone."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET zone.clock_offset = '{timedelta(**delta).total_seconds()} seconds'")


def assert_books_hold() -> None:
    """Back in the present, every promise of the room holds."""
    with connection.cursor() as cursor:
        cursor.execute("RESET zone.clock_offset")
        for promise in INVARIANTS:
            if not promise.is_liveness:
                cursor.execute(promise.sql)
                assert cursor.fetchall() == [], promise.id
