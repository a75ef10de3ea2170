"""Credits in the background. Every task may run twice; the rows decide what is left to do."""

from datetime import timedelta

from celery import shared_task

from credits import ledger
from credits.services.earning import drain_earning as drain_one
from credits.services.tiers import refresh_due_tiers
from zone.core.clock import database_now

ROUNDS_MAX = 50  # batches in one task, so that it ends well before its time limit
SETTLED_PER_COMMIT = 1000  # month ends
HOLDS_PER_COMMIT = 200
MONTHS_AHEAD = 3


@shared_task(name="credits.drain_earning", expires=30, time_limit=120, soft_time_limit=90)
def drain_earning() -> None:
    """Turn waiting charges into credits, and refunds into clawbacks."""
    for _ in range(ROUNDS_MAX):
        if drain_one().is_empty:
            return


@shared_task(name="credits.sweep_expiry", expires=300, time_limit=600, soft_time_limit=540)
def sweep_expiry() -> None:
    """Settle month ends that have passed."""
    while ledger.expire_batch(SETTLED_PER_COMMIT):
        pass


@shared_task(name="credits.lapse_holds", expires=60, time_limit=120, soft_time_limit=90)
def lapse_holds() -> None:
    """Return partners' holds past their time."""
    for _ in range(ROUNDS_MAX):
        if not ledger.lapse_holds(HOLDS_PER_COMMIT):
            return


@shared_task(name="credits.make_partitions", expires=3600, time_limit=120, soft_time_limit=90)
def make_partitions() -> None:
    """Have the journal's months ready three months ahead."""
    today = database_now().date()
    ledger.make_partitions(today, today + timedelta(days=31 * MONTHS_AHEAD))


@shared_task(name="credits.sweep_tiers", expires=300, time_limit=600, soft_time_limit=540)
def sweep_tiers() -> None:
    """Move members whose tier changes by the calendar, and tell those whose tier ends soon."""
    for _ in range(ROUNDS_MAX):
        if not refresh_due_tiers():
            return
