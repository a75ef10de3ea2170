"""Two clocks: the process's for display and logs, the database's for money and expiry.

Several web nodes may disagree by seconds; the database is one, so anything that decides about
credits, stock or expiry asks it. Tests give both the same offset, to travel without waiting.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection


def offset() -> timedelta:
    """How far the test clock is ahead; nothing outside tests."""
    return timedelta(seconds=settings.ZONE_CLOCK_OFFSET_SECONDS)


def now() -> datetime:
    """This process's time in UTC: for display, logs and cookies."""
    return datetime.now(tz=UTC) + offset()


def database_now() -> datetime:
    """The database's time in UTC: for every decision about credits, stock or expiry."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT zone_now()")
        instant: datetime = cursor.fetchone()[0]
    return instant.astimezone(UTC)
