"""Month partitions, made ahead of time by the beat and on demand by a message about another month."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import connection

from zone.core import clock

MONTHS_AHEAD = 3
# Months that this process has seen to exist. Partitions are never dropped, only frozen.
_known: dict[str, set[date]] = {}


def ensure_months(moments: Iterable[datetime]) -> int:
    """The month of each moment has its partitions; returns how many tables were made.

    Safe to repeat and to race. Asks the database only about months this process has not seen.
    """
    known = _known.setdefault(str(connection.settings_dict["NAME"]), set())
    months = {moment.astimezone(UTC).date().replace(day=1) for moment in moments}
    made = 0
    for month in sorted(months - known):
        made += _ensure(month, 1)
        if not connection.in_atomic_block:  # A rollback would take the partitions with it.
            known.add(month)
    return made


def ensure_months_ahead() -> int:
    """This month and the next three have their partitions."""
    return _ensure(clock.now().date().replace(day=1), MONTHS_AHEAD + 1)


def _ensure(first: date, month_count: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT history_ensure_months(%s, %s)", [first, month_count])
        made: int = cursor.fetchone()[0]
    return made
