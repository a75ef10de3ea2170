"""Letting a drain go on past a row that fails, instead of failing at it for ever.

Drains take what is oldest first, many rows in one commit. Without this, one row that raises takes
its whole batch back each time, and nothing behind it is ever reached.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import TypeVar

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet

from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.models import StuckRow

PAUSE = timedelta(minutes=1)
PAUSE_MAX = timedelta(hours=6)
# Due for so long and not tried: its work was done, or called off, by other means.
FORGOTTEN_AFTER = timedelta(hours=1)
ERROR_LENGTH = 300

Row = TypeVar("Row")
log = logging.getLogger(__name__)


class Attempts:
    """One round of a drain over rows that may fail, each by itself.

    `left_out` are keys that failed before and are not due yet: the round's query excludes them.
    """

    def __init__(self, work: str) -> None:
        self.work = work
        self.stuck = {row.row: row for row in StuckRow.objects.filter(work=work)}
        self.left_out: list[str] = []
        if self.stuck:
            now = database_now()
            self._forget_what_is_no_more_due(now)
            self.left_out = [key for key, row in self.stuck.items() if row.retry_at > now]

    @contextmanager
    def at(self, key: object) -> Iterator[None]:
        """What the block writes is kept whole, or not at all and the row waits a while.

        Inside a transaction the block is a savepoint of it. Passed on is what is no fault of the
        row: a database out of reach, a deadlock, the end of the task's time, a refusal that says
        that the same may succeed in a moment.
        """
        row = str(key)
        try:
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                yield
        except Exception as error:
            if not is_of_the_row(error):
                raise
            log.exception("A row is stuck", extra={"work": self.work, "row": row})
            self._keep(row, error)
        else:
            self.passed([row])

    def passed(self, keys: Iterable[object]) -> None:
        """These are done; whichever of them was stuck is so no more."""
        were = [row for row in map(str, keys) if self.stuck.pop(row, None)]
        if were:
            StuckRow.objects.filter(work=self.work, row__in=were).delete()

    def _forget_what_is_no_more_due(self, now: datetime) -> None:
        over = [key for key, row in self.stuck.items() if row.retry_at <= now - FORGOTTEN_AFTER]
        self.passed(over)

    def _keep(self, row: str, error: Exception) -> None:
        now = database_now()
        before = StuckRow.objects.filter(work=self.work, row=row).first()
        count = before.count + 1 if before else 1
        facts = {
            "error": _told(error)[:ERROR_LENGTH],
            "count": count,
            "last_at": now,
            "retry_at": now + pause_after(count),
        }
        self.stuck[row], _ = StuckRow.objects.update_or_create(
            work=self.work, row=row, defaults=facts, create_defaults=facts | {"first_at": now}
        )
        self.left_out.append(row)


def together_or_alone(
    work: str,
    *,
    take: Callable[[int, list[str]], list[Row]],
    do: Callable[[list[Row]], None],
    key: Callable[[Row], object],
    limit: int,
) -> int:
    """Up to `limit` rows in one commit; when that fails, the same rows each in a commit of its own.

    `take(limit, left_out)` reads and locks what is next, inside the transaction; `do` is the work.
    Says how many rows are done. Raises what `Attempts.at` passes on.
    """
    attempts = Attempts(work)
    try:
        with transaction.atomic():
            rows = take(limit, attempts.left_out)
            do(rows)
            attempts.passed(map(key, rows))
            return len(rows)
    except Exception as error:
        if not is_of_the_row(error):
            raise
        log.warning("A batch failed: its rows go one by one", extra={"work": work})
    done = 0
    for _ in range(limit):
        with transaction.atomic():
            rows = take(1, attempts.left_out)
            if not rows:
                break
            with attempts.at(key(rows[0])):
                do(rows)
                done += 1
    return done


def is_of_the_row(error: Exception) -> bool:
    """Whether trying the same row again at once would most likely fail the same way."""
    if isinstance(error, ZoneError):
        return not error.is_retryable
    return not isinstance(error, (OperationalError, InterfaceError, SoftTimeLimitExceeded))


def pause_after(count: int) -> timedelta:
    """How long a row waits after failing `count` times in a row: doubling, at most six hours."""
    pause: timedelta = PAUSE * 2 ** min(count - 1, 12)
    return min(pause, PAUSE_MAX)


def try_now(rows: QuerySet[StuckRow], *, now: datetime) -> int:
    """The next round takes these again, whatever their pause; how many they are."""
    return rows.update(retry_at=now)


def _told(error: Exception) -> str:
    """What may be shown of a fault. PostgreSQL's own sentences may quote what a row holds."""
    kind = type(error).__name__
    if isinstance(error, DatabaseError):
        about = getattr(error.__cause__, "diag", None)
        names = [
            getattr(about, name, None) for name in ("sqlstate", "table_name", "constraint_name")
        ]
        return " ".join([kind, *filter(None, names)])
    return f"{kind}: {(str(error).strip().splitlines() or [''])[0]}"
