"""Taking staged files of codes, part by part: a killed worker neither skips a line nor doubles one.

A part's codes, its faults, the counts and the part's own end are one commit. Nothing is on sale
before the last part, which publishes the whole.
"""

import io
import logging
import time
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from benefits.errors import ImportRefused
from benefits.models import BenefitEvent, CodeImport, CodeImportFault, CodeImportPart
from benefits.services import pools
from benefits.services.imports import CHUNK_ROWS, Import, read_header
from benefits.services.staging import (
    open_fault,
    open_key,
    open_part,
    seal_fault,
    sweep_abandoned,
    sweep_faults,
)
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.stuck import Attempts
from zone.core.vault import VaultError

DRAIN_SECONDS_MAX = 60
State = CodeImport.State
log = logging.getLogger(__name__)


def drain_imports() -> int:
    """Take parts of waiting files until none is left or a minute is over; how many parts it took.

    Several processes may run it: a file is one worker's at a time, and files of one release go
    one after the other, so that a code's first file is the one that counts.
    """
    until, done = time.monotonic() + DRAIN_SECONDS_MAX, 0
    sweep_abandoned(now=database_now())
    sweep_faults(now=database_now())
    while time.monotonic() < until and _take_part():
        done += 1
    return done


def _take_part() -> bool:
    """One part of the oldest file that is nobody's. False when there is nothing to do."""
    attempts = Attempts("code_imports")
    with transaction.atomic():
        open_states = [State.WAITING, State.RUNNING]
        earlier = CodeImport.objects.filter(
            release=OuterRef("release"), state__in=open_states, pk__lt=OuterRef("pk")
        )
        row = (
            CodeImport.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("release__benefit")
            .filter(~Exists(earlier), state__in=open_states)
            .exclude(pk__in=attempts.left_out)
            .order_by("pk")
            .first()
        )
        if row is None:
            return False
        with attempts.at(row.pk):
            _take_next(row)
        failpoint("import_part_before_commit")
    return True


def _take_next(row: CodeImport) -> None:
    part = row.parts.order_by("number").first()
    try:
        if part is None:
            _finish(row)
        else:
            with transaction.atomic():
                _take(row, part)
    except (ImportRefused, VaultError) as error:
        _refuse(row, str(error))


def _take(row: CodeImport, part: CodeImportPart) -> None:
    lines = open_part(part)
    if part.number == 0:
        row.header = read_header(io.BytesIO(lines))
        highest = row.release.codes.aggregate(highest=Max("slot"))["highest"] or 0
        row.first_slot = max(highest, row.release.last_slot)
    reader = Import(
        release=row.release, actor=row.actor, now=row.created_at, life_days=row.life_days_min
    )
    reader.file_name = row.file_name
    reader.kept_for = row.kept_for
    reader.source = row.source
    reader.file_hash = bytes(row.file_hash or b"")
    reader.first_slot = row.first_slot
    if part.number:
        # Each part is read as a file of its own: the header goes in front of it.
        lines = ",".join(row.header).encode() + b"\n" + lines
        reader.line_offset = part.first_line - 2
    sound = list(reader.sound_rows(io.BytesIO(lines), row.expires_on))
    for start in range(0, len(sound), CHUNK_ROWS):
        reader.store(sound[start : start + CHUNK_ROWS])
    report = reader.report
    _keep_faults(row, reader)
    for kind, count in report.faulty_counts.items():
        row.fault_counts[kind] = row.fault_counts.get(kind, 0) + count
    row.row_count += report.rows
    row.accepted_count += report.accepted
    row.parts_done += 1
    row.state = State.RUNNING
    row.save()
    part.delete()


def _keep_faults(row: CodeImport, reader: Import) -> None:
    faults = [
        CodeImportFault(code_import=row, line=line, kind=kind)
        for kind, numbers in reader.report.faulty_lines.items()
        for line in numbers
    ]
    if reader.rejected:
        key = open_key(row)
        for fault in faults:
            if fault.line in reader.rejected:
                seal_fault(row, fault, reader.rejected[fault.line], key)
    CodeImportFault.objects.bulk_create(faults)


def _finish(row: CodeImport) -> None:
    """Everything is taken: the codes go on sale together, and the file's key is gone unless lines
    wait to be corrected."""
    now = database_now()
    pools.publish_codes(release=row.release, actor=row.actor, now=now)
    row.release.code_batches.filter(file_hash=row.file_hash, finished_at=None).update(
        finished_at=now,
        report={
            "rows": row.row_count, "accepted": row.accepted_count, "import": row.public_id,
            "faulty_counts": row.fault_counts,
        },
    )  # fmt: skip
    row.state = State.DONE
    row.finished_at = now
    if not row.faults.exclude(sealed=None).exists():
        row.key_sealed = None
    row.save()


def _refuse(row: CodeImport, why: str) -> None:
    log.error("a file of codes was refused", extra={"import": row.public_id, "why": why})
    row.parts.all().delete()
    row.state = State.REFUSED
    row.refusal = why[:200]
    row.finished_at = database_now()
    row.key_sealed = None
    row.save()


def read_rejected(*, row: CodeImport, actor: str, now: datetime) -> list[list[str]]:
    """Lines of a file that can be corrected and loaded again, each with its number and its fault.

    They may hold codes in clear, so who reads them is on record. Raises VaultError when their key
    is gone.
    """
    key = open_key(row)
    faults = row.faults.exclude(sealed=None).order_by("line")
    lines = [[*open_fault(fault, key), str(fault.line), fault.kind] for fault in faults]
    benefit = row.release.benefit
    BenefitEvent.objects.create(
        benefit=benefit, at=now, actor=actor, cause="read_rejected",
        from_status=benefit.status, to_status=benefit.status,
        facts={"import": row.public_id, "lines": len(lines)},
    )  # fmt: skip
    return lines
