"""Watching the sealed journal: who changes a row past the ledger is named within minutes.

Every look checks the newest blocks and goes on with a lap over all of them, so that each block is
looked at once in `LAP` at least, however long the journal is. PostgreSQL counts the rows that were
ever changed or deleted in a table; in a journal that count stands still. When it moves (or was
reset), the blocks of that month are looked at first and at once.
"""

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from credits.models import SealFinding, SealWatch
from credits.queries.seals import (
    Finding,
    check_seals,
    find_block_at,
    find_newest_block,
    read_change_counts,
)
from zone.core.clock import database_now

LAP = timedelta(hours=24)
LOOK_EVERY = timedelta(seconds=60)
NEWEST_BLOCKS = 20
NEWEST_MAX = 500  # after a pause; what is older is the lap's
PIECE = 10  # blocks, between two looks at the watch
BUDGET_SECONDS = 20.0  # beyond the lap's share; a small journal is read whole at every look
SUSPECT_SECONDS = 200.0
LEASE = timedelta(minutes=5)
FINDINGS_MAX = 1000  # of one look

logger = logging.getLogger(__name__)


def watch_seals() -> int:
    """One look; says how many findings are new. What was found stands in rows, once each.

    Holds no transaction: an open one would keep the sealer waiting. Safe to kill and to repeat; of
    two at once one looks.
    """
    now = database_now()
    watch, _is_new = SealWatch.objects.get_or_create(pk=1)
    if watch.lease_until is not None and watch.lease_until > now:
        return 0
    if not SealWatch.objects.filter(pk=1, lease_until=watch.lease_until).update(
        lease_until=now + LEASE
    ):
        return 0
    newest = find_newest_block()
    counts = read_change_counts()
    _suspect(watch, counts)
    found = 0
    for finding in _look(watch, newest, now):
        found += _note(finding, now)
        if found >= FINDINGS_MAX:
            break
    watch.newest_block, watch.lease_until = newest, None
    # Only now: a look that dies is suspicious again.
    watch.change_counts = counts
    watch.save()
    return found


def _suspect(watch: SealWatch, counts: dict[str, int]) -> None:
    moved = [table for table, count in counts.items() if count != watch.change_counts.get(table, 0)]
    if moved:
        first = min(_first_block_of(table) for table in moved)
        watch.suspect_block = min(first, watch.suspect_block or first)
        logger.error("Rows of the sealed journal were changed", extra={"tables": sorted(moved)})


def _first_block_of(table: str) -> int:
    """Where the entries of a month can be sealed at the earliest; the seals' own tables: anywhere."""
    try:
        month = datetime.strptime(table, "entry_%Y_%m").replace(tzinfo=UTC)
    except ValueError:
        return 1
    return max(1, find_block_at(month - timedelta(days=1)))


def _look(watch: SealWatch, newest: int, now: datetime) -> Iterator[Finding]:
    first_new = max(
        1, newest - NEWEST_MAX + 1, min(watch.newest_block + 1, newest - NEWEST_BLOCKS + 1)
    )
    yield from check_seals(first_new, newest)
    if watch.suspect_block is not None:
        yield from _look_at_suspects(watch, newest)
    yield from _go_on(watch, newest, now)


def _look_at_suspects(watch: SealWatch, newest: int) -> Iterator[Finding]:
    """From the suspect block to the newest; what is left over goes on with the next look."""
    until = time.monotonic() + SUSPECT_SECONDS
    block = watch.suspect_block or 1
    while block <= newest and time.monotonic() < until:
        yield from check_seals(block, block + PIECE - 1)
        block += PIECE
    watch.suspect_block = block if block <= newest else None


def _go_on(watch: SealWatch, newest: int, now: datetime) -> Iterator[Finding]:
    """The lap's share of this look, and more while there is time; one lap at most."""
    until = time.monotonic() + BUDGET_SECONDS
    share = -(-newest * LOOK_EVERY // LAP) + 1
    done = 0
    while done < newest and (done < share or time.monotonic() < until):
        if watch.next_block > newest or watch.lap_started_at is None:
            if watch.lap_started_at is not None:
                watch.lap_finished_at = now
            watch.next_block, watch.lap_started_at = 1, now
        size = min(PIECE, max(1, share - done), newest - done)
        yield from check_seals(watch.next_block, watch.next_block + size - 1)
        watch.next_block += size
        done += size


def _note(finding: Finding, now: datetime) -> int:
    _row, is_new = SealFinding.objects.get_or_create(
        block=finding.block,
        what=finding.what[:80],
        member_id=finding.member_id,
        op_id=finding.op_id,
        defaults={"found_at": now},
    )
    if is_new:
        logger.error("The sealed journal was tampered with", extra={"finding": str(finding)})
    return int(is_new)
