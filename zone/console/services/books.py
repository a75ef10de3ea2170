"""Checking the books: asked for by a row, done by the worker, told on the board."""

from datetime import timedelta
from io import StringIO

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from zone.console.models import BooksCheck
from zone.console.services import audit
from zone.core import clock
from zone.core.nudge import nudge

LEASE = timedelta(minutes=20)
_REPORT_LETTERS_MAX = 20_000
# How a line of `manage.py verify_books` begins.
_VERDICTS = ("ok ", "warn ", "FAIL ")

Status = BooksCheck.Status


def request_check(*, requested_by: str) -> BooksCheck:
    """A waiting check; the open one if there is one already. The worker finds it."""
    try:
        with transaction.atomic():
            check = BooksCheck.objects.create(
                requested_at=clock.now(), requested_by=requested_by, status=Status.WAITING
            )
    except IntegrityError:
        return BooksCheck.objects.filter(status__in=BooksCheck.OPEN_STATUSES).get()
    nudge("console.run_open_check")
    return check


def run_open_check() -> BooksCheck | None:
    """Take the open check and finish it; None when there is none, or another worker has it.

    Safe to repeat: a worker that died leaves a lease that lapses.
    """
    now = clock.now()
    check = BooksCheck.objects.filter(status__in=BooksCheck.OPEN_STATUSES).first()
    if check is None or (check.lease_until is not None and check.lease_until > now):
        return None
    taken = BooksCheck.objects.filter(pk=check.pk, lease_until=check.lease_until).update(
        status=Status.RUNNING, lease_until=now + LEASE, started_at=now
    )
    if not taken:
        return None
    status, report = verify_everything()
    BooksCheck.objects.filter(pk=check.pk, status=Status.RUNNING).update(
        status=status,
        report=report[:_REPORT_LETTERS_MAX],
        checked_count=sum(line.startswith(_VERDICTS) for line in report.splitlines()),
        finished_at=clock.now(),
        lease_until=None,
    )
    check.refresh_from_db()
    return check


def verify_everything() -> tuple[BooksCheck.Status, str]:
    """Run every invariant and the audit log's own chain. Returns the verdict and the lines."""
    output = StringIO()
    is_broken = False
    try:
        call_command("verify_books", stdout=output, stderr=output)
    except SystemExit as ending:
        is_broken = bool(ending.code)
    except CommandError as refusal:
        output.write(f"{refusal}\n")
        is_broken = True
    except Exception as error:  # A broken query is a finding too: say so instead of vanishing.
        return Status.FAILED, f"{output.getvalue()}{type(error).__name__}: {error}"
    if broken := audit.list_broken_events():
        output.write(f"FAIL AUDIT: events {broken[:10]} of the audit log were tampered with\n")
        is_broken = True
    else:
        output.write("ok   AUDIT: the audit log is whole\n")
    report = output.getvalue()
    if is_broken:
        return Status.BROKEN, report
    has_warning = any(line.startswith("warn ") for line in report.splitlines())
    return (Status.WARNING if has_warning else Status.CLEAN), report
