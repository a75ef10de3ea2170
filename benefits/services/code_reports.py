"""A code that does not work: said by who holds it, replaced from stock, counted by its batch."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from benefits.errors import ClaimNotUsable, NothingToReport, SoldOut
from benefits.models import Alarm, Claim, Code, CodeReport
from benefits.models.release import Fulfilment
from benefits.services.alarms import raise_alarm, settle_alarms_of
from benefits.services.code_reserve import set_aside
from benefits.services.endings import reissue_claim
from benefits.services.moves import lock_claim, record_event

REPORT_WITHIN = timedelta(days=30)  # Of the first look at the code.
# Replaced at once for a member who has reported nothing else for this long; then a person decides.
QUIET_FOR = timedelta(days=180)
# Of so many members, and so large a share of who has seen a code of the batch: the batch is bad.
BAD_REPORTS_MIN = 5
BAD_PERCENT_MIN = 5
BAD_WITHIN = timedelta(days=7)
State = CodeReport.State


def can_report(claim: Claim, *, now: datetime) -> bool:
    """Whether the owner has seen a code lately that is still theirs.

    Reads the claim alone; of what an issuer made, also whether there is a code at all.
    """
    is_recent = (
        claim.mode != Fulfilment.CREDITS
        and claim.state_at(now) == Claim.State.GRANTED
        and claim.revealed_at is not None
        and claim.frozen_at is None
        and now - claim.revealed_at < REPORT_WITHIN
    )
    if not is_recent or claim.mode == Fulfilment.CODES:
        return is_recent
    return Code.objects.filter(release_id=claim.release_id, slot=claim.slot).exists()


def report_code(*, claim: Claim, reason: str, actor: str, now: datetime) -> CodeReport:
    """Write down that a claim's code does not work, and replace it when that needs nobody.

    The first report of a member is believed: the claim is replaced from stock in the same commit,
    the first one dead before the second lives. A further one waits for an operator. When one batch
    is reported by many, what is left of it leaves the sale. Safe to repeat: a claim has one report.

    Raises NothingToReport for a claim without a code that was seen lately, ClaimInTransit.
    """
    with transaction.atomic():
        locked = lock_claim(claim)
        if made := CodeReport.objects.filter(claim=locked).first():
            return made
        code = (
            Code.objects.filter(release_id=locked.release_id, slot=locked.slot)
            .select_related("batch")
            .first()
        )
        if code is None or not can_report(locked, now=now):
            raise NothingToReport()
        is_believed = _is_believed(locked, now=now)
        report = CodeReport.objects.create(
            claim=locked,
            batch=code.batch,
            member_id=locked.member_id,
            reason=reason,
            actor=actor,
            created_at=now,
        )
        record_event(
            locked, was=locked.state, to=locked.state, cause="report", actor=actor, now=now,
            facts={"report": report.public_id, "reason": reason},
        )  # fmt: skip
        if not (is_believed and _replace(report, actor="worker", now=now)):
            raise_alarm(Alarm.Kind.CODE_REPORTED, report.public_id, claim=locked.public_id)
        if _is_bad(code.batch_id, now=now):
            set_aside(batch=code.batch, actor="worker", now=now, why="reported by many")
    return report


def replace_reported(*, report: CodeReport, actor: str, now: datetime) -> CodeReport:
    """An operator believes it. Raises ClaimNotUsable when it is decided, SoldOut without a unit."""
    with transaction.atomic():
        locked = _open(report)
        if not _replace(locked, actor=actor, now=now):
            raise SoldOut()
    return locked


def refuse_reported(*, report: CodeReport, actor: str, now: datetime) -> CodeReport:
    """An operator does not. Raises ClaimNotUsable when it is decided."""
    with transaction.atomic():
        locked = _open(report)
        _decide(locked, State.REFUSED, actor=actor, now=now)
    return locked


def _open(report: CodeReport) -> CodeReport:
    locked = CodeReport.objects.select_for_update().select_related("claim").get(pk=report.pk)
    if locked.state != State.OPEN:
        raise ClaimNotUsable(status=locked.state)
    return locked


def _is_believed(claim: Claim, *, now: datetime) -> bool:
    has_reported = CodeReport.objects.filter(
        member_id=claim.member_id, created_at__gt=now - QUIET_FOR
    ).exists()
    return not has_reported and claim.replaces_id is None and not claim.redemptions.exists()


def _replace(report: CodeReport, *, actor: str, now: datetime) -> bool:
    """A fresh code for a report's claim. False, with nothing done, when there is none."""
    try:
        with transaction.atomic():
            note = f"code reported: {report.public_id}"
            report.replacement = reissue_claim(claim=report.claim, actor=actor, now=now, note=note)
    except SoldOut:
        return False
    _decide(report, State.REPLACED, actor=actor, now=now)
    return True


def _decide(report: CodeReport, state: str, *, actor: str, now: datetime) -> None:
    report.state, report.decided_by, report.decided_at = state, actor, now
    report.save(update_fields=["state", "replacement", "decided_by", "decided_at"])
    settle_alarms_of(Alarm.Kind.CODE_REPORTED, report.public_id)


def _is_bad(batch_id: int, *, now: datetime) -> bool:
    members = (
        CodeReport.objects.filter(batch_id=batch_id, created_at__gt=now - BAD_WITHIN)
        .exclude(state=State.REFUSED)
        .values("member")
        .distinct()
        .count()
    )
    if members < BAD_REPORTS_MIN:
        return False
    seen = Claim.objects.filter(
        revealed_at__isnull=False,
        holds_slot=True,
        release__codes__batch_id=batch_id,
        release__codes__slot=F("slot"),
    ).count()
    return members * 100 >= seen * BAD_PERCENT_MIN
