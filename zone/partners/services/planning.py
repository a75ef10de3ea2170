"""Setting an event on its way to whoever asked to be told of it, in the event's own commit."""

from collections.abc import Sequence
from datetime import datetime

from zone.partners.models import Event, WebhookDelivery

DRAIN_TASK = "partners.deliver_webhooks"


def plan_deliveries(
    pairs: Sequence[tuple[int, Event]], *, now: datetime, is_replay: bool = False
) -> None:
    """Each event is due at its endpoint, named by key, now; unless it was planned there before."""
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                partner_id=event.partner_id,
                livemode=event.livemode,
                endpoint_id=endpoint_id,
                event=event,
                is_replay=is_replay,
                due_at=now,
                occurred_at=event.occurred_at,
                created_at=now,
            )
            for endpoint_id, event in pairs
        ],
        ignore_conflicts=True,
    )
