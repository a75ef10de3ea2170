"""One verb for many, row by row: a worker may die anywhere and no row is skipped or done twice.

The row's change of state is in the commit of its own effect: both happened, or neither did.
"""

import csv
import io
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from benefits.errors import Busy, ImportRefused, NothingTaken, StillTaking
from benefits.models import BulkJob, BulkRow, Claim, Release, Segment
from benefits.services.claims import claim_benefit
from benefits.services.endings import restore_claim, revoke_claim
from zone.core.clock import database_now
from zone.core.errors import NotFound, Unavailable, ZoneError
from zone.core.failpoints import failpoint
from zone.core.nudge import nudge
from zone.core.stuck import Attempts
from zone.members.models import Member

# A row costs two savepoints; past 64 in one transaction PostgreSQL keeps them on disk.
CHUNK_ROWS = 25
ROW_TRIES = 3
INSERT_ROWS = 5_000
DRAIN_SECONDS_MAX = 60
FILE_BYTES_MAX = 64 * 1024 * 1024
Verb = BulkJob.Verb
RowState = BulkRow.State
log = logging.getLogger(__name__)


def start_grants(
    *,
    release: Release,
    actor: str,
    now: datetime,
    segment: Segment | None = None,
    lines: Iterable[str] = (),
    members: QuerySet[Member] | None = None,
    source: str = "",
) -> BulkJob:
    """A job that grants a unit of `release` to each member of a list, or of a file of ids.

    With `members`, none but those are given anything: the others of a list are not in the job.

    Its rows are those of this moment; who joins the list later is not among them. Lines that name
    nobody are kept as refused rows, so that the result says what became of every line.
    """
    with transaction.atomic():
        job = BulkJob.objects.create(
            verb=Verb.GRANT,
            release=release,
            source=source or (segment.code if segment else ""),
            actor=actor,
            created_at=now,
        )
        if segment is not None:
            listed = segment.rows.order_by("member_id")
            if members is not None:
                listed = listed.filter(member__in=members.order_by())
            named = listed.values_list("member_id", "member__public_id")
            rows: Iterator[BulkRow] = (
                BulkRow(job=job, number=number, target=public_id, member_id=member_id)
                for number, (member_id, public_id) in enumerate(named.iterator(), 1)
            )
        else:
            rows = _member_rows(job, lines, Member.objects.all() if members is None else members)
        _store(job, rows)
    nudge("benefits.tasks.drain_bulk")
    return job


def start_on_claims(
    *,
    verb: str,
    claims: QuerySet[Claim],
    source: str,
    options: dict[str, Any],
    actor: str,
    now: datetime,
) -> BulkJob:
    """A job that takes away, or gives back, every claim of a query as it is at this moment."""
    with transaction.atomic():
        job = BulkJob.objects.create(
            verb=verb, source=source[:200], options=options, actor=actor, created_at=now
        )
        found = claims.order_by("pk").values_list("pk", "public_id", "member_id")
        _store(
            job,
            (
                BulkRow(job=job, number=number, target=public_id, claim_id=pk, member_id=member_id)
                for number, (pk, public_id, member_id) in enumerate(found.iterator(), 1)
            ),
        )
    nudge("benefits.tasks.drain_bulk")
    return job


def read_lines(content: bytes) -> list[str]:
    """The first column of a CSV file, its header left out. Raises ImportRefused."""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        values = [row[0].strip() if row else "" for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImportRefused(why=_("it is no CSV file in UTF-8.")) from error
    if any("\0" in value for value in values):
        raise ImportRefused(why=_("it is no CSV file in UTF-8."))
    if values and not values[0].startswith(("mbr_", "clm_")):
        values = values[1:]
    return values


def _member_rows(
    job: BulkJob, lines: Iterable[str], members: QuerySet[Member]
) -> Iterator[BulkRow]:
    """A row for each line; a member who stands twice is granted once."""
    seen: set[str] = set()
    batch: list[tuple[int, str]] = []
    for numbered in enumerate(lines, 1):
        batch.append(numbered)
        if len(batch) == INSERT_ROWS:
            yield from _resolve(job, batch, seen, members)
            batch = []
    yield from _resolve(job, batch, seen, members)


def _resolve(
    job: BulkJob, batch: list[tuple[int, str]], seen: set[str], members: QuerySet[Member]
) -> Iterator[BulkRow]:
    wanted = [line for _, line in batch]
    known = dict(members.filter(public_id__in=wanted).values_list("public_id", "pk"))
    for number, line in batch:
        reason = "" if line in known else "not_found"
        if line in seen:
            reason = "duplicate_in_file"
        seen.add(line)
        yield BulkRow(
            job=job,
            number=number,
            target=line[:64],
            member_id=None if reason else known[line],
            state=RowState.REFUSED if reason else RowState.WAITING,
            reason=reason,
            settled_at=job.created_at if reason else None,
        )


def _store(job: BulkJob, rows: Iterator[BulkRow]) -> None:
    job.total = 0
    batch: list[BulkRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == INSERT_ROWS:
            BulkRow.objects.bulk_create(batch)
            job.total += len(batch)
            batch = []
    BulkRow.objects.bulk_create(batch)
    job.total += len(batch)
    job.save(update_fields=["total"])


def pause_job(*, job: BulkJob) -> bool:
    """Stop after the rows under way. False when it was not running."""
    return _move(job, BulkJob.State.RUNNING, BulkJob.State.PAUSED)


def resume_job(*, job: BulkJob) -> bool:
    """Go on where it stopped. False when it was not paused."""
    moved = _move(job, BulkJob.State.PAUSED, BulkJob.State.RUNNING)
    nudge("benefits.tasks.drain_bulk")
    return moved


def cancel_job(*, job: BulkJob, now: datetime) -> bool:
    """Every row still waiting is canceled; what was done stays done. False when it had ended."""
    with transaction.atomic():
        locked = BulkJob.objects.select_for_update().get(pk=job.pk)
        if locked.state not in BulkJob.OPEN_STATES:
            return False
        locked.state = BulkJob.State.CANCELED
        locked.finished_at = now
        locked.save(update_fields=["state", "finished_at"])
        locked.rows.filter(state=RowState.WAITING).update(state=RowState.CANCELED, settled_at=now)
    return True


def _move(job: BulkJob, was: str, to: str) -> bool:
    return bool(BulkJob.objects.filter(pk=job.pk, state=was).update(state=to))


def drain_bulk() -> int:
    """Work through running jobs, a chunk of each in turn. Returns how many rows were settled.

    Several processes may run it at once; a chunk is locked rows, so a killed worker's are free
    again at once. Ends after about a minute; whoever rings next goes on.
    """
    started, done = database_now(), 0
    while (database_now() - started).total_seconds() < DRAIN_SECONDS_MAX:
        settled, attempts = 0, Attempts("bulk_jobs")
        running = BulkJob.objects.filter(state=BulkJob.State.RUNNING)
        for job in running.exclude(pk__in=attempts.left_out).select_related("release__benefit"):
            with attempts.at(job.pk):
                settled += _drain_chunk(job)
        done += settled
        if not settled:
            break
    return done


def _drain_chunk(job: BulkJob) -> int:
    """Up to a chunk of a job's rows, each in a savepoint of the chunk's transaction."""
    with transaction.atomic():
        # A share of the job's row: pausing waits for the chunk, and the next chunk sees it.
        with connection.cursor() as cursor:
            cursor.execute("SELECT state FROM benefits_bulkjob WHERE id = %s FOR SHARE", [job.pk])
            if cursor.fetchone()[0] != BulkJob.State.RUNNING:
                return 0
        rows = list(
            BulkRow.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("member__wallet", "claim")
            .filter(job=job, state=RowState.WAITING)
            .order_by("pk")[:CHUNK_ROWS]
        )
        settled = 0
        for row in rows:
            settled += _run_row(job, row)
            failpoint("bulk_after_row")
        BulkRow.objects.bulk_update(rows, ["state", "reason", "claim", "settled_at"])
        failpoint("bulk_before_commit")
    if not rows:
        _finish(job)
    return settled


def _run_row(job: BulkJob, row: BulkRow) -> bool:
    """One row's verb. A refusal is its result; nothing else of the chunk is touched by it.

    Where somebody else held what it needs it is tried again. False while a rush keeps everybody
    waiting: then the row waits, too.
    """
    for _try in range(ROW_TRIES):
        row.settled_at = now = database_now()
        try:
            with transaction.atomic():
                row.claim = _act(job, row, now)
        except Busy:
            row.settled_at = None
            return False
        except ZoneError as refusal:
            row.state, row.reason = RowState.REFUSED, refusal.code
            if not isinstance(refusal, Unavailable):
                return True
        else:
            row.state, row.reason = RowState.DONE, ""
            return True
    return True


def _act(job: BulkJob, row: BulkRow, now: datetime) -> Claim:
    if job.verb == Verb.GRANT:
        if row.member is None or job.release is None:
            raise NotFound()
        return claim_benefit(
            member=row.member, release=job.release, op_id=row.op_id, now=now, actor=job.actor
        )
    if row.claim is None:
        raise NotFound()
    if job.verb == Verb.REVOKE:
        return revoke_claim(claim=row.claim, actor=job.actor, now=now, **job.options)
    return restore_claim(
        claim=row.claim, actor=job.actor, now=now, taken_at=_find_taken_at(job, row.claim)
    )


def _find_taken_at(job: BulkJob, claim: Claim) -> datetime | None:
    """When the job that is undone took the claim away; None for a job that undoes no other."""
    undone = BulkRow.objects.filter(job=job.options.get("undoes"), claim=claim, state=RowState.DONE)
    return undone.values_list("settled_at", flat=True).first()


def _finish(job: BulkJob) -> None:
    """Done when no row waits; rows that another worker holds still do."""
    if not job.rows.filter(state=RowState.WAITING).exists():
        BulkJob.objects.filter(pk=job.pk, state=BulkJob.State.RUNNING).update(
            state=BulkJob.State.DONE, finished_at=database_now()
        )


def undo_revocations(*, job: BulkJob, actor: str, now: datetime) -> BulkJob:
    """A job that gives back what `job` took away; each claim within its day.

    What was given back since, and taken away again by somebody else, is theirs to give back.

    Raises NothingTaken for a job of another verb, StillTaking for one that goes on taking.
    """
    if job.verb != Verb.REVOKE:
        raise NothingTaken()
    if BulkJob.objects.filter(pk=job.pk, state__in=BulkJob.OPEN_STATES).exists():
        raise StillTaking()
    taken = Claim.objects.filter(
        bulkrow__job=job,
        bulkrow__state=RowState.DONE,
        bulkrow__settled_at=F("ended_at"),
        state=Claim.State.REVOKED,
    )
    return start_on_claims(
        verb=Verb.RESTORE,
        claims=taken,
        source=f"undo of {job.public_id}",
        options={"undoes": job.pk},
        actor=actor,
        now=now,
    )
