"""What was sent to a partner's endpoints, with every try, and sending it again."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from zone.core.errors import NotFound
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import IdField, InstantField
from zone.partners.models import WebhookDelivery
from zone.partners.objects import Shape, constant, list_of
from zone.partners.paging import ListQuery, list_page
from zone.partners.services import webhooks


class AttemptObject(Shape):
    """One try: when, what the receiver said or what went wrong, and how long it took."""

    at = serializers.CharField()
    http_status = serializers.IntegerField(allow_null=True)
    fault = serializers.CharField(allow_null=True)
    milliseconds = serializers.IntegerField(min_value=0)
    answer = serializers.CharField(help_text="The first 1,024 letters of it.")
    replay = serializers.BooleanField()


class DeliveryObject(Shape):
    """One event on its way to one endpoint, with every try; kept for 30 days."""

    object = constant("webhook_delivery")
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    endpoint = serializers.CharField()
    event = serializers.CharField()
    event_type = serializers.CharField()
    status = serializers.ChoiceField(choices=WebhookDelivery.State.values)
    replay = serializers.BooleanField()
    next_attempt_at = InstantField(allow_null=True)
    created_at = InstantField()
    attempts = AttemptObject(many=True)


class DeliveryQuery(ListQuery):
    endpoint = IdField("whe", required=False)
    status = serializers.ChoiceField(choices=WebhookDelivery.State.values, required=False)


DeliveryList = list_of(DeliveryObject)


def present_delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    facts = {
        "object": "webhook_delivery",
        "id": delivery.public_id,
        "livemode": delivery.livemode,
        "endpoint": delivery.endpoint.public_id,
        "event": delivery.event.public_id,
        "event_type": delivery.event.type,
        "status": delivery.state,
        "replay": delivery.is_replay,
        "next_attempt_at": delivery.next_attempt_at,
        "created_at": delivery.created_at,
        "attempts": delivery.attempts,
    }
    return dict(DeliveryObject(facts).data)


def _own_deliveries(call: Call) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        partner=call.partner, livemode=call.livemode, endpoint__deleted_at=None
    ).select_related("endpoint", "event")


def _own_delivery(call: Call, delivery_id: str) -> WebhookDelivery:
    delivery = _own_deliveries(call).filter(public_id=delivery_id).first()
    if delivery is None:
        raise NotFound
    return delivery


@operation(
    summary="List webhook deliveries",
    tag="webhooks",
    scope="webhooks:read",
    query=DeliveryQuery,
    answers={200: DeliveryList},
)
def list_deliveries(call: Call) -> Answer:
    """What was sent in the last 30 days, newest first, with every try."""
    deliveries = _own_deliveries(call)
    if "endpoint" in call.query:
        deliveries = deliveries.filter(endpoint__public_id=call.query["endpoint"])
    if "status" in call.query:
        deliveries = deliveries.filter(state=call.query["status"])
    page = list_page(
        deliveries.order_by("-pk"),
        query=call.query,
        owner=call.owner,
        present=lambda rows: [present_delivery(delivery) for delivery in rows],
    )
    return Answer(200, page)


@operation(
    summary="Read a webhook delivery",
    tag="webhooks",
    scope="webhooks:read",
    answers={200: DeliveryObject},
)
def get_delivery(call: Call, webhook_delivery_id: str) -> Answer:
    """One delivery with each of its tries."""
    return Answer(200, present_delivery(_own_delivery(call, webhook_delivery_id)))


@operation(
    summary="Send a delivery again",
    tag="webhooks",
    scope="webhooks:write",
    answers={200: DeliveryObject},
    is_idempotent_by_key=True,
    refusals=("invalid_state",),
)
def redeliver(call: Call, webhook_delivery_id: str) -> Answer:
    """The same event id, signed with the secrets of now; marked as a replay."""
    webhooks.redeliver(delivery=_own_delivery(call, webhook_delivery_id))
    return Answer(200, present_delivery(_own_delivery(call, webhook_delivery_id)))
