"""Nothing acknowledged is lost or done twice, whatever dies; and the test can see it when it is."""

import os
import secrets

import pytest

from tests.faults import ledger_crash

pytestmark = pytest.mark.slow
SECONDS = float(os.environ.get("LEDGER_CRASH_SECONDS", "10"))
CONTROL_SECONDS = 6.0


def _seed() -> int:
    return int(os.environ.get("LEDGER_CRASH_SEED", secrets.randbelow(2**32)))


def test_nothing_acknowledged_is_lost_or_doubled(django_db_blocker):
    with django_db_blocker.unblock():
        report = ledger_crash.run(seconds=SECONDS, seed=_seed())

    print(report)  # noqa: T201  pytest shows it when the test fails
    assert report.faults == {}, str(report)
    assert report.posted > 0
    assert report.backends_killed > 0
    assert report.replies_lost > 0


def test_control_without_the_guards_losses_and_doubles_are_seen(django_db_blocker):
    """A retry that is a new operation, and answers before the log is on disk."""
    with django_db_blocker.unblock():
        report = ledger_crash.run(seconds=CONTROL_SECONDS, seed=_seed(), is_careless=True)

    assert report.lost, str(report)
    assert report.doubled, str(report)
