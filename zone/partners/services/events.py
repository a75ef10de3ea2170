"""Events for partners: rows written with the change they tell of."""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max, Q, QuerySet
from django.db.models.expressions import RawSQL

from zone.core import clock, vault
from zone.core.nudge import nudge
from zone.partners.event_types import selectors_of
from zone.partners.models import Event
from zone.partners.services.planning import DRAIN_TASK, plan_deliveries
from zone.partners.versions import CURRENT_VERSION


def record_event(
    *,
    partner_id: int,
    livemode: bool,
    type: str,
    data: dict[str, Any],
    previous: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> Event:
    """Tell a partner of a change, in the change's own commit. `data` is the object as the API shows it.

    The sequence of an object has no gap: a lock for the rest of the transaction makes events of
    one object queue. The partner's endpoints that asked for it are told after the commit. Must run
    inside a transaction.
    """
    object_id = data["id"]
    lock = vault.blind_index("event-lock", f"{partner_id}:{livemode}:{object_id}")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_advisory_xact_lock(%s), pg_current_xact_id()::text, ARRAY(
                SELECT id FROM partners_webhookendpoint
                 WHERE partner_id = %s AND livemode = %s AND deleted_at IS NULL
                   AND status = 'enabled' AND event_types && %s::varchar[])
            """,
            [
                int.from_bytes(lock[:8], "big", signed=True),
                partner_id,
                livemode,
                selectors_of(type),
            ],
        )
        _locked, transaction_number, listeners = cursor.fetchone()
    of_object = Event.objects.filter(partner_id=partner_id, livemode=livemode, object_id=object_id)
    last = of_object.aggregate(last=Max("sequence"))["last"] or 0
    event = Event.objects.create(
        partner_id=partner_id,
        livemode=livemode,
        type=type,
        object_id=object_id,
        sequence=last + 1,
        data=data,
        previous=previous or {},
        api_version=CURRENT_VERSION,
        transaction_number=int(transaction_number),
        occurred_at=at or clock.database_now(),
    )
    if listeners:
        plan_deliveries([(endpoint_id, event) for endpoint_id in listeners], now=event.occurred_at)
        nudge(DRAIN_TASK)
    return event


def list_settled_events(
    events: QuerySet[Event], *, after: list[int] | None, limit: int
) -> list[Event]:
    """The next events after a (transaction, key) in commit order, none of which an open transaction may still precede.

    Transactions number themselves when they begin to write and may finish in another order; what
    is numbered below the oldest one still running is final.
    """
    settled = RawSQL("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint", [])
    rows = events.filter(transaction_number__lt=settled)
    if after is not None:
        number, key = after
        rows = rows.filter(
            Q(transaction_number__gt=number) | Q(transaction_number=number, pk__gt=key)
        )
    return list(rows.order_by("transaction_number", "pk")[:limit])
