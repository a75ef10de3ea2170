"""The trial guardian: warn before a trial becomes a charge, and say afterwards what it became."""

import calendar
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from benefits.models import Claim, Trial
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.core.failpoints import failpoint
from zone.core.stuck import Attempts
from zone.history.models import Subscription
from zone.history.queries.trials import find_first_payment, find_trial_subscription
from zone.members.models import Member
from zone.notices.services import write_notice

TRIAL_KINDS = ("apple_music_trial", "icloud_trial")
BATCH_TRIALS = 50
# The wallet's feed may be late: the outcome is asked for until this long after the first charge.
LOOK_AGAIN = timedelta(hours=6)
LOOK_FOR = timedelta(days=7)
_CHARGED_EARLY = timedelta(days=1)  # Apple charges within the day before a period ends.
_MONTHS = {"P1M": 1, "P2M": 2, "P3M": 3, "P6M": 6, "P1Y": 12}
_DAYS = {"P7D": 7}

State = Trial.State
_LEFT_STATUSES = (
    Subscription.Status.CANCEL_SCHEDULED,
    Subscription.Status.EXPIRED,
    Subscription.Status.REVOKED,
)


def start_trial(*, claim: Claim, now: datetime) -> Trial | None:
    """Watch over the trial a claim gives, from the moment it can be taken up.

    In the caller's transaction, once per claim however often it is called. None for a claim that
    is no trial.
    """
    benefit = claim.benefit
    if benefit.kind not in TRIAL_KINDS:
        return None
    detail = benefit.detail
    first_charge_at = end_of_period(now, detail["trial_period"], zone=claim.member.time_zone)
    price = detail.get("renews_price")
    lead_days = Trial._meta.get_field("lead_days").default
    trial, _ = Trial.objects.get_or_create(
        claim=claim,
        defaults={
            "member": claim.member,
            "service": detail["service"][:24],
            "plan": detail.get("plan", ""),
            "starts_at": now,
            "first_charge_at": first_charge_at,
            "price": price,
            "currency": detail.get("renews_currency", "") if price else "",
            "lead_days": lead_days,
            "next_attempt_at": max(now, first_charge_at - timedelta(days=lead_days)),
        },
    )
    return trial


def end_of_period(start: datetime, period: str, *, zone: str) -> datetime:
    """The same hour `period` later by the member's calendar; a month's missing day is its last."""
    local = start.astimezone(ZoneInfo(zone))
    if period in _DAYS:
        return local + timedelta(days=_DAYS[period])
    months = local.month - 1 + _MONTHS[period]
    year, month = local.year + months // 12, months % 12 + 1
    day = min(local.day, calendar.monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day)


def set_lead(*, member: Member, trial_id: int, lead_days: int, now: datetime) -> Trial:
    """How many days before the first charge the member wants to be told.

    Safe to repeat. Changes nothing any more once the reminder is written or the trial is over.
    Raises NotFound, ValueError for a number that is not offered.
    """
    if lead_days not in Trial.LEAD_DAYS:
        raise ValueError(f"{lead_days} days is not a lead")
    with transaction.atomic():
        trial = _lock(trial_id)
        if trial is None or trial.member_id != member.pk:
            raise NotFound()
        if trial.state == State.RUNNING and trial.reminded_at is None:
            trial.lead_days = lead_days
            _await_reminder(trial, now=now)
            trial.save(update_fields=["lead_days", "next_attempt_at"])
    return trial


def drain_trials() -> int:
    """Remind, look for the outcome, close. Returns how many trials it moved.

    Several processes may run it at once; a batch is one commit, so it is safe to kill, and each
    trial's reminder and outcome are told once.
    """
    moved = 0
    while batch := _drain_batch():
        moved += batch
    return moved


def _drain_batch() -> int:
    with transaction.atomic():
        now = database_now()
        attempts = Attempts("trials")
        due = list(
            Trial.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
            .filter(state=State.RUNNING, next_attempt_at__lte=now)
            .exclude(pk__in=attempts.left_out)
            .select_related("member", "claim__benefit", "subscription")
            .order_by("next_attempt_at", "id")[:BATCH_TRIALS]
        )
        for trial in due:
            with attempts.at(trial.pk):
                _advance(trial, now=now)
        failpoint("trials_before_commit")
    return len(due)


def _advance(trial: Trial, *, now: datetime) -> None:
    """One step of one trial: what the feed says first, then reminder or outcome."""
    _follow_feed(trial)
    if _find_charge(trial):
        _close(trial, State.KEPT, now=now)
    elif trial.first_charge_at > now:
        _remind(trial, now=now)
    elif trial.is_canceled:
        _close(trial, State.LEFT, now=now)
    elif trial.first_charge_at + LOOK_FOR <= now:
        _close(trial, State.UNSEEN, now=now)
    else:
        trial.next_attempt_at = now + LOOK_AGAIN
    trial.save()


def _follow_feed(trial: Trial) -> None:
    """Take over what the wallet knows better: the end of the trial, the price, a cancellation."""
    found = find_trial_subscription(trial.member, service=trial.service, since=trial.starts_at)
    if found is None:
        return
    trial.subscription = found
    trial.is_canceled = found.status in _LEFT_STATUSES
    if found.is_trial and found.period_ends_at > trial.starts_at:
        trial.first_charge_at = found.period_ends_at
    if found.price:
        trial.price, trial.currency = found.price, found.currency


def _find_charge(trial: Trial) -> bool:
    """Whether the trial became a paid subscription: by a payment, or by the feed's word for it.

    A payment for the same service before that day belongs to another subscription.
    """
    since = trial.first_charge_at - _CHARGED_EARLY
    payment = find_first_payment(trial.member, service=trial.service, since=since)
    if payment is not None:
        charge, amount = payment
        trial.charge_id, trial.charged, trial.currency = charge.id, amount, charge.currency
        return True
    found = trial.subscription
    if (
        found is not None
        and found.status == Subscription.Status.ACTIVE
        and not found.is_trial
        and found.occurred_at >= since
    ):
        trial.charged = found.price
        return True
    return False


def _remind(trial: Trial, *, now: datetime) -> None:
    """Once, and not to somebody who has left already; who comes back in time is told after all."""
    if trial.reminded_at is None and _reminder_at(trial) <= now:
        if trial.is_canceled:
            trial.next_attempt_at = min(now + LOOK_AGAIN, trial.first_charge_at)
            return
        _tell(trial, "trial_reminder", now=now)
        trial.reminded_at = now
    _await_reminder(trial, now=now)


def _reminder_at(trial: Trial) -> datetime:
    return trial.first_charge_at - timedelta(days=trial.lead_days)


def _await_reminder(trial: Trial, *, now: datetime) -> None:
    wanted = trial.first_charge_at if trial.reminded_at else _reminder_at(trial)
    trial.next_attempt_at = max(wanted, now)


def _close(trial: Trial, state: str, *, now: datetime) -> None:
    trial.state = state
    trial.closed_at = now
    trial.next_attempt_at = None
    _tell(trial, f"trial_{state}", now=now)


def _tell(trial: Trial, kind: str, *, now: datetime) -> None:
    amount = trial.price if trial.charged is None else trial.charged
    write_notice(
        member_id=trial.member_id,
        kind=kind,
        facts={
            "title": {text.language: text.title for text in trial.claim.benefit.texts.all()},
            "first_charge_at": trial.first_charge_at.isoformat(),
            "amount": amount if trial.currency else None,
            "currency": trial.currency,
        },
        link="/trials",
        dedupe_key=f"{kind}:{trial.claim.public_id}",
        at=now,
    )


def _lock(trial_id: int) -> Trial | None:
    return Trial.objects.select_for_update(no_key=True).filter(pk=trial_id).first()
