"""Tries to bind, as events: what the success rate and the time on task are counted from."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from zone.members.models import Binding, BindingAttempt, BindingStep, Member

IDLE_MINUTES = 30
# A page may have been open for a while before its first form comes in; no longer than an idle try.
_ENTRY_LETTERS = 32

FLOW_STARTED = "bind_flow_started"
STEP_VIEWED = "bind_step_viewed"
LEFT_FOR_WALLET = "bind_left_for_wallet"
RETURNED = "bind_returned"
SUCCEEDED = "bind_succeeded"
FAILED = "bind_failed"
ABANDONED = "bind_abandoned"
CANCELED = "bind_canceled"


def find_open_attempt(member: Member, now: datetime) -> BindingAttempt | None:
    """The try that the member may resume: open, and not idle for 30 minutes."""
    return member.attempts.filter(
        outcome=BindingAttempt.Outcome.OPEN,
        last_step_at__gt=now - timedelta(minutes=IDLE_MINUTES),
    ).first()


def open_attempt(
    *,
    member: Member,
    now: datetime,
    entry: str = "direct",
    device_os: str = "",
    next_path: str = "",
    viewed_at: datetime | None = None,
) -> BindingAttempt:
    """The member's open try, begun now if there is none.

    `viewed_at` is when the guide was first seen: time on task begins there, not at the first
    button. Safe to repeat and to race: one try is open at a time.
    """
    if found := find_open_attempt(member, now):
        if next_path and not found.next_path:
            found.next_path = next_path
            found.save(update_fields=["next_path"])
        return found
    close_idle_attempts(now=now, member=member)
    earliest = now - timedelta(minutes=IDLE_MINUTES)
    started_at = min(now, max(viewed_at, earliest)) if viewed_at else now
    try:
        with transaction.atomic():
            attempt = BindingAttempt.objects.create(
                member=member,
                entry=entry[:_ENTRY_LETTERS] or "direct",
                device_os=device_os,
                next_path=next_path,
                started_at=started_at,
                last_step_at=now,
            )
            facts = {"wallet": member.wallet_id, "entry": attempt.entry, "os": device_os}
            BindingStep.objects.create(
                attempt=attempt, name=FLOW_STARTED, facts=facts, at=started_at
            )
    except IntegrityError:
        return member.attempts.get(outcome=BindingAttempt.Outcome.OPEN)
    return attempt


def note_step(
    attempt: BindingAttempt, name: str, at: datetime, facts: dict[str, Any] | None = None
) -> None:
    """Append one event and keep the try awake. Events are never changed."""
    BindingStep.objects.create(attempt=attempt, name=name, facts=facts or {}, at=at)
    BindingAttempt.objects.filter(pk=attempt.pk, last_step_at__lt=at).update(last_step_at=at)


def note_step_viewed(attempt: BindingAttempt, step: str, at: datetime) -> None:
    """The member saw a step of the guide. Seeing it again is not another event."""
    if not attempt.steps.filter(name=STEP_VIEWED, facts__step=step).exists():
        note_step(attempt, STEP_VIEWED, at, {"step": step})


def note_success(*, binding: Binding, at: datetime) -> None:
    """Close the member's open try as succeeded: their binding is active."""
    attempt = BindingAttempt.objects.filter(
        member_id=binding.member_id, outcome=BindingAttempt.Outcome.OPEN
    ).first()
    if attempt is None:
        return
    note_step(attempt, SUCCEEDED, at, {"binding": binding.public_id})
    _close(attempt, BindingAttempt.Outcome.SUCCEEDED, at, binding=binding, failure_reason="")


def note_failure(*, binding: Binding, reason: str, at: datetime) -> None:
    """Write the reason into the open try, which stays open: the member may try again."""
    attempt = BindingAttempt.objects.filter(
        member_id=binding.member_id, outcome=BindingAttempt.Outcome.OPEN
    ).first()
    if attempt is None:
        return
    note_step(attempt, FAILED, at, {"reason": reason, "binding": binding.public_id})
    BindingAttempt.objects.filter(pk=attempt.pk).update(failure_reason=reason, binding=binding)


def cancel_attempt(*, member: Member, now: datetime) -> bool:
    """The member says "not now". False when nothing was open."""
    attempt = member.attempts.filter(outcome=BindingAttempt.Outcome.OPEN).first()
    if attempt is None:
        return False
    note_step(attempt, CANCELED, now)
    return _close(attempt, BindingAttempt.Outcome.CANCELED, now)


def close_idle_attempts(*, now: datetime, member: Member | None = None) -> int:
    """Close tries that nobody touched for 30 minutes: failed if a reason came last, or abandoned."""
    idle = BindingAttempt.objects.filter(
        outcome=BindingAttempt.Outcome.OPEN,
        last_step_at__lte=now - timedelta(minutes=IDLE_MINUTES),
    )
    if member is not None:
        idle = idle.filter(member=member)
    closed = 0
    for attempt in idle.order_by("last_step_at")[:500]:
        with transaction.atomic():
            has_failed = bool(attempt.failure_reason)
            outcome = (
                BindingAttempt.Outcome.FAILED if has_failed else BindingAttempt.Outcome.ABANDONED
            )
            if _close(attempt, outcome, now):
                closed += 1
                if not has_failed:
                    BindingStep.objects.create(attempt=attempt, name=ABANDONED, at=now)
    return closed


def _close(attempt: BindingAttempt, outcome: str, at: datetime, **facts: Any) -> bool:
    return bool(
        BindingAttempt.objects.filter(pk=attempt.pk, outcome=BindingAttempt.Outcome.OPEN).update(
            outcome=outcome, ended_at=at, **facts
        )
    )
