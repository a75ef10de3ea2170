"""Both clocks at another moment, for as long as a block lasts.

`zone_now()` in the database and `clock.now()` here agree on it, so every service writes what it
would have written then. Only this process and its one connection travel.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection


def travel_to(moment: datetime) -> None:
    """Set both clocks to `moment`; they run on from there."""
    away = (moment - datetime.now(tz=UTC)).total_seconds()
    settings.ZONE_CLOCK_OFFSET_SECONDS = away
    _set("zone.clock_offset", f"{away} seconds")


@contextmanager
def away_from_now() -> Iterator[None]:
    """Come back to the present at the end, whatever happened in between.

    Meanwhile commits do not wait for the disk: a seeding that loses power is begun anew.
    """
    before = settings.ZONE_CLOCK_OFFSET_SECONDS
    _set("synchronous_commit", "off")
    try:
        yield
    finally:
        settings.ZONE_CLOCK_OFFSET_SECONDS = before
        if connection.is_usable():
            _set("zone.clock_offset", "")
            _set("synchronous_commit", "on")


def _set(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
