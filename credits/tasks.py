"""Credits in the background. Every task may run twice; the rows decide what is left to do."""

from datetime import timedelta

from celery import shared_task

from credits import ledger
from credits.services.adjust_batches import drain_adjustments as drain_files
from credits.services.anchoring import publish_seals as publish_newest
from credits.services.earning import drain_earning as drain_one
from credits.services.expiry import settle_expiry
from credits.services.expiry_notices import remind_of_expiry as remind_some
from credits.services.forgetting import forget_members as forget_all
from credits.services.rollups import roll_flows as roll_all
from credits.services.seal_watch import watch_seals
from credits.services.sealing import seal as seal_all
from credits.services.standing import close_kept as close_some
from credits.services.standing import settle_bindings as settle_some
from credits.services.tiers import refresh_due_tiers
from zone.core.clock import database_now

ROUNDS_MAX = 50  # batches in one task, so that it ends well before its time limit
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
    settle_expiry()


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


@shared_task(name="credits.settle_bindings", expires=60, time_limit=120, soft_time_limit=90)
def settle_bindings() -> None:
    """Freeze the credits of whoever unlinked, and give them back to whoever linked again."""
    for _ in range(ROUNDS_MAX):
        if not settle_some():
            return


@shared_task(name="credits.close_kept", expires=600, time_limit=600, soft_time_limit=540)
def close_kept() -> None:
    """Warn of and close the accounts of members who did not link again."""
    for _ in range(ROUNDS_MAX):
        if not close_some():
            return


@shared_task(name="credits.forget_members", expires=300, time_limit=290, soft_time_limit=280)
def forget_members() -> None:
    """Close the accounts of those who are forgotten."""
    forget_all()


@shared_task(name="credits.seal", expires=10, time_limit=120, soft_time_limit=90)
def seal() -> None:
    """Seal what has been posted."""
    seal_all()


@shared_task(name="credits.check_seals", expires=50, time_limit=300, soft_time_limit=280)
def check_seals() -> None:
    """Look at the newest blocks, at suspect ones, and on with the lap over all."""
    watch_seals()


@shared_task(name="credits.publish_seals", expires=50, time_limit=60, soft_time_limit=50)
def publish_seals() -> None:
    """Write the newest root into the signed log outside the database."""
    publish_newest()


@shared_task(name="credits.remind_of_expiry", expires=600, time_limit=900, soft_time_limit=880)
def remind_of_expiry() -> None:
    """Tell members what ends in 30 days, 7 days or 1."""
    while remind_some():
        pass


@shared_task(name="credits.roll_flows", expires=50, time_limit=120, soft_time_limit=90)
def roll_flows() -> None:
    """Keep the months that the liability is read from."""
    roll_all()


@shared_task(name="credits.drain_adjustments", expires=60, time_limit=110, soft_time_limit=90)
def drain_adjustments() -> None:
    """Apply the rows of adjustment files that were decided on."""
    drain_files()
