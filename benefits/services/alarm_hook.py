"""Telling alarms outside, at one address that the environment names: a pager, a chat, a status page.

Messages are those of Standard Webhooks 1.0 (https://www.standardwebhooks.com), so its public
libraries verify them. An alarm is its own message: what is told is how it stands at that moment,
under an id that is the same for every attempt and another one for the next piece of news.
"""

import json
import logging
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from benefits.models import Alarm
from benefits.providers.wire import Wire, WireError
from zone.core.clock import database_now
from zone.partners.hook_signatures import hook_headers

DRAIN_SECONDS_MAX = 60
TIMEOUT_SECONDS = 10
LEASE = timedelta(seconds=60)
ANSWER_BYTES_MAX = 65_536
# 5, 10, 20 … seconds, then every hour: about a day in all.
PAUSE = timedelta(seconds=5)
PAUSE_MAX = timedelta(hours=1)
ATTEMPTS_MAX = 33
log = logging.getLogger(__name__)


def drain_alarm_calls() -> int:
    """Tell every alarm that has news; how many were heard.

    At least once, oldest first. Several processes may run it: each alarm is leased, and called with
    no transaction open. One that nobody hears is tried again ever more rarely, for a day.
    """
    if not settings.ALARM_WEBHOOK_URL:
        return 0
    until, heard = time.monotonic() + DRAIN_SECONDS_MAX, 0
    while time.monotonic() < until and (alarm := _lease()) is not None:
        heard += _tell(alarm)
    return heard


def _lease() -> Alarm | None:
    """The alarm that has waited longest, this process's own for a minute. None: nobody waits."""
    with transaction.atomic():
        now = database_now()
        alarm = (
            Alarm.objects.select_for_update(skip_locked=True)
            .filter(tell_at__lte=now)
            .order_by("tell_at", "id")
            .first()
        )
        if alarm is None:
            return None
        alarm.tell_attempts += 1
        alarm.tell_at = now + LEASE
        alarm.save(update_fields=["tell_attempts", "tell_at"])
    return alarm


def _tell(alarm: Alarm) -> bool:
    """Whether it was heard. When to try again is written for this piece of news alone."""
    own = Alarm.objects.filter(pk=alarm.pk, tell_number=alarm.tell_number)
    if alarm.settled_at is not None and not alarm.told_number:
        own.update(tell_at=None)  # It was over before anybody heard of it.
        return False
    now = database_now()
    fault = post(f"alm_{alarm.pk}_{alarm.tell_number}", describe(alarm, now=now))
    if not fault:
        own.update(tell_at=None, tell_fault="")
        # Heard is heard, also where there has been news meanwhile.
        Alarm.objects.filter(pk=alarm.pk).update(told_number=alarm.tell_number, told_at=now)
        return True
    log.warning("An alarm was not heard", extra={"alarm": alarm.pk, "why": fault})
    is_last = alarm.tell_attempts >= ATTEMPTS_MAX
    pause = min(PAUSE * 2 ** min(alarm.tell_attempts - 1, 16), PAUSE_MAX)
    own.update(tell_at=None if is_last else now + pause, tell_fault=fault[:80])
    return False


def describe(alarm: Alarm, *, now: datetime) -> dict[str, Any]:
    """The message: what the alarm's own page says."""
    return {
        "type": "alarm.raised" if alarm.settled_at is None else "alarm.settled",
        "timestamp": now.isoformat(),
        "data": {
            "kind": alarm.kind,
            "subject": alarm.subject,
            "facts": alarm.facts,
            "count": alarm.count,
            "first_at": alarm.first_at.isoformat(),
            "last_at": alarm.last_at.isoformat(),
            "settled_at": alarm.settled_at.isoformat() if alarm.settled_at else None,
            "settled_by": alarm.settled_by or None,
        },
    }


def post(message_id: str, message: dict[str, Any]) -> str:
    """Send it once; empty when it was heard, else a word why not. Nothing is followed."""
    address = urlsplit(settings.ALARM_WEBHOOK_URL)
    body = json.dumps({"id": message_id, **message}).encode()
    headers = hook_headers(
        [settings.ALARM_WEBHOOK_SECRET],
        message_id=message_id,
        timestamp=int(time.time()),
        body=body,
    )
    wire = Wire(f"{address.scheme}://{address.netloc}", timeout=TIMEOUT_SECONDS)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        status, _content = wire.ask(
            "POST", path, body=body, headers=headers, bytes_max=ANSWER_BYTES_MAX
        )
    except WireError as error:
        return str(error)
    finally:
        wire.close()
    return "" if 200 <= status < 300 else f"answer {status}"
