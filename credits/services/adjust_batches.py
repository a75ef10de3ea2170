"""Applying a file of corrections in the background, and undoing it as a whole.

The rows decide what is left to do: each is applied in the commit that says so, under its own
operation id, so a worker that is killed neither skips a row nor doubles one.
"""

import time
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from credits import ledger
from credits.errors import LedgerBusy, LedgerError
from credits.models import AdjustBatch, AdjustRow
from credits.services.adjust_files import FileRow, store_batch
from credits.services.adjustments import (
    GOOD_FOR,
    AdjustmentDecided,
    MayNotApprove,
    SecondPersonNeeded,
    limit_of,
    moved_alone,
)
from credits.undoing import undo_adjustment
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.nudge import nudge
from zone.core.stuck import Attempts

ROWS_PER_COMMIT = 200
DRAIN_SECONDS_MAX = 60
Status = AdjustBatch.Status
RowStatus = AdjustRow.Status


class NothingToApply(LedgerError):
    code = "nothing_to_apply"
    sentence = _("None of its rows can be applied.")


class NotReversible(LedgerError):
    code = "not_reversible"
    sentence = _("Only a finished file that was not undone before can be undone.")


def apply_batch(*, batch_id: int, operator: User) -> None:
    """A worker will apply every sound row: started by its maker within the limit, else by another.

    Raises AdjustmentDecided, NothingToApply, SecondPersonNeeded, MayNotApprove.
    """
    with transaction.atomic():
        # Whoever applies alone is counted against a limit: one at a time.
        User.objects.select_for_update(no_key=True).get(pk=operator.pk)
        batch = _take(batch_id)
        now = database_now()
        if batch.row_count == batch.fault_count:
            raise NothingToApply
        if batch.maker_id == operator.pk:
            limit = limit_of(operator)
            if moved_alone(operator, since=now - GOOD_FOR) + batch.moved > limit:
                raise SecondPersonNeeded
            batch.limit_used = limit
        elif operator.has_perm("credits.approve_adjustrequest"):
            batch.checker = operator
        else:
            raise MayNotApprove
        batch.status, batch.decided_at = Status.RUNNING, now
        batch.save(update_fields=["status", "decided_at", "checker", "limit_used"])
    nudge("credits.drain_adjustments")


def refuse_batch(*, batch_id: int) -> None:
    """A waiting file never moves anything. Raises AdjustmentDecided."""
    with transaction.atomic():
        batch = AdjustBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
        if batch.status != Status.PREVIEW:
            raise AdjustmentDecided
        # What it undoes may be undone by another batch.
        batch.status, batch.decided_at, batch.reverses = Status.REFUSED, database_now(), None
        batch.save(update_fields=["status", "decided_at", "reverses"])


def reverse_batch(*, batch_id: int, maker: User) -> AdjustBatch:
    """A new file to be decided on: every applied row of this one, with the opposite amount.

    Undoing leaves no trace in any bucket: what was taken goes back to where it was, with the end it
    had, and what was given leaves the bucket it came into. Who has spent it is refused by the
    ledger, row by row. Raises NotReversible.
    """
    with transaction.atomic():
        first = AdjustBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
        is_undone = AdjustBatch.objects.filter(reverses=first).exists()
        if first.status != Status.DONE or first.reverses_id or is_undone:
            raise NotReversible
        applied = first.rows.filter(status=RowStatus.APPLIED).order_by("line")
        rows = [
            FileRow(row.line, row.given_member, row.member_id, -(row.amount or 0))
            for row in applied
        ]
        if not rows:
            raise NotReversible
        batch = AdjustBatch(
            reverses=first, reason=first.reason, note=first.note, file_name=first.file_name
        )
        store_batch(batch, rows=rows, maker=maker)
    return batch


def drain_adjustments() -> int:
    """Apply rows of running files until none is left or a minute is over; how many commits it took.

    Several processes may run it: a file is one worker's at a time.
    """
    until, done = time.monotonic() + DRAIN_SECONDS_MAX, 0
    try:
        while time.monotonic() < until and _apply_some(ROWS_PER_COMMIT):
            done += 1
    except LedgerBusy:
        # Somebody holds a member's account: this commit's rows wait for the next round.
        return done
    return done


def _apply_some(limit: int) -> bool:
    attempts = Attempts("adjust_files")
    with transaction.atomic():
        batch = (
            AdjustBatch.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(status=Status.RUNNING)
            .exclude(pk__in=attempts.left_out)
            .order_by("pk")
            .first()
        )
        if batch is None:
            return False
        with attempts.at(batch.pk):
            _apply_rows(batch, limit)
        failpoint("adjust_batch_before_commit")
    return True


def _apply_rows(batch: AdjustBatch, limit: int) -> None:
    # Rising members, as every batch takes them: two batches cannot deadlock.
    rows = list(batch.rows.filter(status=RowStatus.SOUND).order_by("member_id")[:limit])
    undone = _undone_by(batch, rows)
    for row in rows:
        _apply(row, batch, undone.get(row.line))
    AdjustRow.objects.bulk_update(rows, ["status", "fault"])
    batch.applied_count += sum(row.status == RowStatus.APPLIED for row in rows)
    batch.refused_count += sum(row.status == RowStatus.REFUSED for row in rows)
    if len(rows) < limit:
        batch.status, batch.finished_at = Status.DONE, database_now()
    batch.save(update_fields=["applied_count", "refused_count", "status", "finished_at"])


def _undone_by(batch: AdjustBatch, rows: list[AdjustRow]) -> dict[int, UUID]:
    """The operation that each of these rows undoes, by line; none in a file that undoes nothing."""
    if batch.reverses_id is None:
        return {}
    first = AdjustRow.objects.filter(batch_id=batch.reverses_id, status=RowStatus.APPLIED)
    return dict(first.filter(line__in=[row.line for row in rows]).values_list("line", "op_id"))


def _apply(row: AdjustRow, batch: AdjustBatch, undone: UUID | None) -> None:
    if row.member_id is None or row.amount is None:
        raise ValueError(f"line {row.line} of {batch.public_id} is sound and has no amount")
    try:
        if undone is not None:
            undo_adjustment(
                member_id=row.member_id,
                op_id=row.op_id,
                orig_op=undone,
                reason=batch.reason,
                related=batch.public_id,
            )
        else:
            ledger.adjust(
                member_id=row.member_id,
                op_id=row.op_id,
                amount=row.amount,
                reason=batch.reason,
                related=batch.public_id,
            )
    except LedgerBusy:
        raise
    except LedgerError as refusal:
        row.status, row.fault = RowStatus.REFUSED, refusal.code[:40]
    else:
        row.status = RowStatus.APPLIED


def _take(batch_id: int) -> AdjustBatch:
    batch = AdjustBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
    if batch.status != Status.PREVIEW or batch.expires_at <= database_now():
        raise AdjustmentDecided
    return batch
