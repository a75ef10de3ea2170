"""Calling an operator: one open row for each thing to look at, however often it happens."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F, Q

from benefits.models import Alarm, Claim
from zone.core.clock import database_now
from zone.core.nudge import nudge

log = logging.getLogger(__name__)


def raise_alarm(kind: str, subject: str, **facts: Any) -> None:
    """Open an alarm, or count one more on the open one. Joins the caller's transaction."""
    log.error(
        "alarm: %s", kind, extra={"subject": subject, **{f"fact_{k}": v for k, v in facts.items()}}
    )
    now = database_now()
    Alarm.objects.bulk_create(
        [Alarm(kind=kind, subject=subject, facts=facts, count=0, first_at=now, last_at=now)],
        ignore_conflicts=True,
    )
    rows = Alarm.objects.filter(kind=kind, subject=subject, settled_at=None)
    is_news = Q(count=0)
    if "level" in facts:
        is_news |= ~Q(facts__level=facts["level"])
    if news := _news(now=now):
        rows.filter(is_news).update(**news)
    rows.update(count=F("count") + 1, facts=facts, last_at=now)


def settle_alarm(alarm: Alarm, *, actor: str, now: datetime) -> bool:
    """An operator has looked. False when somebody already had."""
    return bool(
        Alarm.objects.filter(pk=alarm.pk, settled_at=None).update(
            settled_at=now, settled_by=actor, **_news(now=now)
        )
    )


def settle_alarms_of(kind: str, *subjects: str, about: str = "") -> None:
    """What it was about is over; with `about`, only where the alarm's facts name that."""
    rows = Alarm.objects.filter(kind=kind, subject__in=subjects, settled_at=None)
    if about:
        rows = rows.filter(facts__has_key=about)
    now = database_now()
    rows.update(settled_at=now, settled_by="worker", **_news(now=now))


def _news(*, now: datetime) -> dict[str, Any]:
    """What makes an alarm be told outside, where somebody listens: the row itself is the message."""
    if not settings.ALARM_WEBHOOK_URL:
        return {}
    nudge("benefits.tasks.drain_alarm_calls")
    return {"tell_number": F("tell_number") + 1, "tell_at": now, "tell_attempts": 0}


def settle_awaited(claims: Iterable[Claim]) -> None:
    """Nobody needs to look any more at what was waited for and has come."""
    awaited = [claim.public_id for claim in claims if claim.attempts > 1]
    if awaited:
        settle_alarms_of(Alarm.Kind.PROVIDER_SILENT, *awaited)
        settle_alarms_of(Alarm.Kind.PROVIDER_CODE, *awaited, about="reference")
