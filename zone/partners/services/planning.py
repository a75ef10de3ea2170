"""Setting an event on its way to whoever asked to be told of it, in the event's own commit."""

from collections.abc import Sequence
from datetime import datetime

from zone.core.nudge import nudge
from zone.partners.event_types import selectors_of
from zone.partners.models import Event, WebhookDelivery, WebhookEndpoint

DRAIN_TASK = "partners.deliver_webhooks"


def plan_for_listeners(event: Event) -> None:
    """A delivery for each endpoint of the partner that is enabled and asked for this type."""
    listeners = WebhookEndpoint.objects.filter(
        partner_id=event.partner_id,
        livemode=event.livemode,
        deleted_at=None,
        status=WebhookEndpoint.Status.ENABLED,
        event_types__overlap=selectors_of(event.type),
    ).only("pk")
    if pairs := [(endpoint, event) for endpoint in listeners]:
        plan_deliveries(pairs, now=event.occurred_at)
        nudge(DRAIN_TASK)


def plan_deliveries(
    pairs: Sequence[tuple[WebhookEndpoint, Event]], *, now: datetime, is_replay: bool = False
) -> None:
    """Each event is due at its endpoint now, unless it was planned there before."""
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                partner_id=event.partner_id,
                livemode=event.livemode,
                endpoint=endpoint,
                event=event,
                is_replay=is_replay,
                due_at=now,
                occurred_at=event.occurred_at,
                created_at=now,
            )
            for endpoint, event in pairs
        ],
        ignore_conflicts=True,
    )
