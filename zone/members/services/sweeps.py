"""What keeps bindings true while nobody looks."""

from zone.core import clock
from zone.members.services import attempts, bindings, erasures


def keep_bindings_true() -> None:
    """Ask wallets what is unknown, close what is overdue, and what nobody came back to.

    Takes what is due in batches; safe to run in several processes at once.
    """
    now = clock.database_now()
    bindings.ask_wallet_about_due(now=now)
    bindings.close_overdue_bindings(now)
    attempts.close_idle_attempts(now=now)


def begin_erasures() -> None:
    """Forget whoever asked to be forgotten fifteen days ago."""
    while erasures.begin_erasures():
        pass
