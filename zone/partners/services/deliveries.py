"""Sending what is due: lease, call, write down.

A worker may die between any two of these: the lease lapses and the next one sends again, under the
same event id, which is why a receiver stores the ids it has seen.
"""

import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from django.db import connection, transaction

from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.partners.models import WebhookDelivery, WebhookEndpoint
from zone.partners.outbound import ANSWER_SECONDS, Heard
from zone.partners.services.events import record_event
from zone.partners.services.webhooks import send_event

PARALLEL_CALLS = 64
CALLS_OF_ONE = 4  # At once, to one endpoint.
CALLS_OF_FAILING = 1  # The same, to one that failed last time.
LEASE = timedelta(seconds=60)  # Longer than the slowest answer and its writing down.
START_SECONDS = 20.0  # Of one run; then what is under way is finished, and the next run goes on.
_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# The waits after each failure of a run, about 76 hours in all.
RETRIES = [
    *(5 * _SECOND, 5 * _MINUTE, 30 * _MINUTE),
    *(hours * _HOUR for hours in (2, 5, 10, 14, 20, 24)),
]
JITTER = 0.2
RETRY_AFTER_MAX = timedelta(hours=24)
PATIENCE = timedelta(days=5)
RESTS_FIRST, RESTS = 4 * _SECOND, 30 * _SECOND  # An endpoint, after a failure there.
ATTEMPTS_KEPT = 40
_MAY_SAY_WHEN = {429, 503}
_GONE = 410

State = WebhookDelivery.State
Status = WebhookEndpoint.Status
log = logging.getLogger(__name__)


def deliver_webhooks() -> int:
    """Send what is due, the oldest first; says how many calls were made.

    Several processes may run it at once. An endpoint has four calls at most under way, one that
    fails has one, so that none of them waits for another.
    """
    made, until = 0, time.monotonic() + START_SECONDS
    under_way: dict[Future[Heard], WebhookDelivery] = {}
    with ThreadPoolExecutor(max_workers=PARALLEL_CALLS) as threads:
        while True:
            leased: list[WebhookDelivery] = []
            if time.monotonic() < until:
                leased = lease_due(limit=PARALLEL_CALLS - len(under_way))
            failpoint("hook_after_lease")
            for delivery in leased:
                under_way[threads.submit(_send, delivery)] = delivery
            made += len(leased)
            if not under_way:
                return made
            finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for call in finished:
                failpoint("hook_before_settle")
                settle(under_way.pop(call), call.result())


_LOCK_DOORS = """
SELECT endpoint.id
  FROM partners_webhookendpoint AS endpoint
  JOIN partners_partner AS partner ON partner.id = endpoint.partner_id
 WHERE endpoint.status = 'enabled' AND endpoint.deleted_at IS NULL
   AND partner.status = 'active'
   AND (endpoint.resting_until IS NULL OR endpoint.resting_until <= zone_now())
   AND EXISTS (SELECT FROM partners_webhookdelivery AS due
                WHERE due.endpoint_id = endpoint.id AND due.state = 'pending'
                  AND due.due_at <= zone_now())
   FOR NO KEY UPDATE OF endpoint SKIP LOCKED
"""
# A statement of its own: only what begins after the lock sees what its last holder leased.
_LEASE_DUE = """
WITH picked AS MATERIALIZED (
    SELECT mine.id
      FROM partners_webhookendpoint AS door
     CROSS JOIN LATERAL (
            SELECT delivery.id, delivery.due_at
              FROM partners_webhookdelivery AS delivery
             WHERE delivery.endpoint_id = door.id AND delivery.state = 'pending'
               AND delivery.due_at <= zone_now()
             ORDER BY delivery.due_at, delivery.id
             LIMIT greatest(0,
                   CASE WHEN door.failing_since IS NULL THEN %(of_one)s ELSE %(of_failing)s END
                   - (SELECT count(*) FROM partners_webhookdelivery AS busy
                       WHERE busy.endpoint_id = door.id AND busy.state = 'pending'
                         AND busy.due_at > zone_now() AND busy.due_at <= zone_now() + %(lease)s
                         AND busy.leased_until > zone_now()))
               FOR UPDATE SKIP LOCKED
           ) AS mine
     WHERE door.id = ANY(%(doors)s)
     ORDER BY mine.due_at
     LIMIT %(limit)s
)
UPDATE partners_webhookdelivery AS delivery
   SET leased_until = zone_now() + %(lease)s, due_at = zone_now() + %(lease)s
  FROM picked
 WHERE delivery.id = picked.id
RETURNING delivery.id
"""


def lease_due(*, limit: int) -> list[WebhookDelivery]:
    """Due deliveries that are now this process's, for as long as a lease lasts."""
    if limit <= 0:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_DOORS)
        doors = [row[0] for row in cursor.fetchall()]
        if not doors:
            return []
        cursor.execute(
            _LEASE_DUE,
            {
                "doors": doors,
                "of_one": CALLS_OF_ONE,
                "of_failing": CALLS_OF_FAILING,
                "limit": limit,
                "lease": LEASE,
            },
        )
        leased = [row[0] for row in cursor.fetchall()]
    return list(
        WebhookDelivery.objects.filter(pk__in=leased)
        .select_related("endpoint", "event")
        .order_by("occurred_at", "pk")
    )


def _send(delivery: WebhookDelivery) -> Heard:
    return send_event(delivery.endpoint, delivery.event, seconds=ANSWER_SECONDS)


def settle(leased: WebhookDelivery, heard: Heard) -> bool:
    """Write down what came of a try. False when the lease had lapsed and it is another's by now."""
    with transaction.atomic():
        now = database_now()
        # The endpoint first, as whoever changes it does; two tries of one endpoint queue here.
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).get(
            pk=leased.endpoint_id
        )
        delivery = WebhookDelivery.objects.select_for_update(of=("self",)).get(pk=leased.pk)
        if delivery.leased_until != leased.leased_until:
            return False
        _note_attempt(delivery, heard, now)
        delivery.leased_until, delivery.tries = None, delivery.tries + 1
        if heard.is_good:
            delivery.state, delivery.due_at = State.DELIVERED, None
        elif delivery.tries > len(RETRIES):
            delivery.state, delivery.due_at = State.FAILED, None
        else:
            delivery.due_at = now + pause_after(delivery.tries, heard, now=now)
        delivery.save()
        if heard.status == _GONE:
            _shut(endpoint, Status.DISABLED, "answered_410", now=now)
        elif not delivery.is_replay:
            _note_health(endpoint, is_good=heard.is_good, now=now)
    return True


def _note_attempt(delivery: WebhookDelivery, heard: Heard, now: datetime) -> None:
    attempt = {
        "at": now.isoformat(),
        "http_status": heard.status,
        "fault": heard.fault or None,
        "milliseconds": heard.milliseconds,
        "answer": heard.answer.replace("\0", ""),  # PostgreSQL keeps none.
        "replay": delivery.is_replay,
    }
    delivery.attempts = [*delivery.attempts, attempt][-ATTEMPTS_KEPT:]


def pause_after(
    tries: int,
    heard: Heard,
    *,
    now: datetime,
    chance: Callable[[float, float], float] = random.uniform,
) -> timedelta:
    """How long to wait after the nth failure: the schedule's step, a fifth more or less.

    A receiver that says when to come back, with 429 or 503, is obeyed for up to a day.
    """
    pause = RETRIES[tries - 1] * chance(1 - JITTER, 1 + JITTER)
    if heard.status in _MAY_SAY_WHEN and (asked := read_retry_after(heard.retry_after, now=now)):
        return max(pause, min(asked, RETRY_AFTER_MAX))
    return pause


def read_retry_after(value: str, *, now: datetime) -> timedelta | None:
    """Seconds or a date (RFC 9110 section 10.2.3); None for anything else and for the past."""
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return timedelta(seconds=min(int(value[:9]), 10**8))
    try:
        wanted = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if wanted.tzinfo is None or wanted <= now:
        return None
    return wanted - now


def _note_health(endpoint: WebhookEndpoint, *, is_good: bool, now: datetime) -> None:
    if is_good:
        endpoint.last_success_at = now
        endpoint.failing_since = endpoint.resting_until = None
    elif endpoint.failing_since is None:
        endpoint.failing_since, endpoint.resting_until = now, now + RESTS_FIRST
    else:
        endpoint.resting_until = now + RESTS
    endpoint.save(update_fields=["last_success_at", "failing_since", "resting_until"])
    if endpoint.failing_since and endpoint.failing_since <= now - PATIENCE:
        _shut(endpoint, Status.PAUSED, "failing_for_five_days", now=now)


def _shut(endpoint: WebhookEndpoint, status: str, reason: str, *, now: datetime) -> None:
    """No more is sent there until its partner enables it; the partner's others hear of a pause."""
    was = endpoint.status
    if was != Status.ENABLED or endpoint.deleted_at is not None:
        return
    endpoint.status, endpoint.status_reason, endpoint.paused_at = status, reason, now
    endpoint.save(update_fields=["status", "status_reason", "paused_at"])
    log.warning(
        "A webhook endpoint was shut", extra={"endpoint": endpoint.public_id, "why": reason}
    )
    if status == Status.PAUSED:
        record_event(
            partner_id=endpoint.partner_id,
            livemode=endpoint.livemode,
            type="webhook_endpoint.paused",
            data={
                "object": "webhook_endpoint",
                "id": endpoint.public_id,
                "url": endpoint.url,
                "status": status,
                "status_reason": reason,
            },
            previous={"status": was},
        )
