"""Events for partners: rows written with the change they tell of."""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max

from zone.core import clock, vault
from zone.partners.models import Event
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
    one object queue. Must run inside a transaction.
    """
    object_id = data["id"]
    lock = vault.blind_index("event-lock", f"{partner_id}:{livemode}:{object_id}")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s), pg_current_xact_id()::text",
            [int.from_bytes(lock[:8], "big", signed=True)],
        )
        transaction_number = int(cursor.fetchone()[1])
    of_object = Event.objects.filter(partner_id=partner_id, livemode=livemode, object_id=object_id)
    last = of_object.aggregate(last=Max("sequence"))["last"] or 0
    return Event.objects.create(
        partner_id=partner_id,
        livemode=livemode,
        type=type,
        object_id=object_id,
        sequence=last + 1,
        data=data,
        previous=previous or {},
        api_version=CURRENT_VERSION,
        transaction_number=transaction_number,
        occurred_at=at or clock.database_now(),
    )
