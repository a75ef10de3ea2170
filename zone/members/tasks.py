"""Work nobody waits for. Every task may run twice; the rows say what is due."""

from celery import shared_task

from zone.core import clock
from zone.members.services import sweeps, visits


@shared_task(expires=55, time_limit=50, soft_time_limit=45)
def keep_bindings_true() -> None:
    """Ask wallets what is unknown, close what is overdue, and what nobody came back to."""
    sweeps.keep_bindings_true()


@shared_task(expires=300, time_limit=290, soft_time_limit=280)
def begin_erasures() -> None:
    """Forget whoever asked to be forgotten fifteen days ago."""
    sweeps.begin_erasures()


@shared_task(expires=3600, time_limit=110, soft_time_limit=100)
def sweep_visits() -> None:
    """Forget trips to wallets that ended a day ago."""
    visits.sweep_visits(clock.database_now())
