"""Sealing the journal: hash what is finished, and help readers skip what is closed."""

from django.db import OperationalError, connection

ENTRIES_PER_BLOCK = 5000
BLOCKS_MAX = 200  # in one call, so that it ends well before its task's time limit


def seal() -> int:
    """Every entry of a finished transaction is in a sealed block; says how many blocks were made.

    Each block is a commit of its own. Safe to kill, to repeat and to run twice at once: one sealer
    works, another finds nothing to do. An entry whose transaction began before one that is still
    open waits for it.
    """
    made = 0
    with connection.cursor() as cursor:
        while made < BLOCKS_MAX:
            cursor.execute("SELECT ledger.seal_next(%s)", [ENTRIES_PER_BLOCK])
            if cursor.fetchone()[0] is None:
                break
            made += 1
        if made:
            _summarize(cursor)
    return made


def _summarize(cursor: object) -> None:
    """A table that is being changed right now is summarised by a later call."""
    try:
        cursor.execute("SELECT ledger.summarize_closed()")  # type: ignore[attr-defined]
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
            raise
