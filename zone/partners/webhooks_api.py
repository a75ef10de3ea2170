"""Where a partner listens: registered, changed, re-keyed, tried, told again."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from zone.core import clock
from zone.core.errors import NotFound
from zone.partners.declarations import Answer, Call, operation
from zone.partners.event_types import unknown_selectors
from zone.partners.fields import (
    InstantField,
    StrictSerializer,
    TextField,
    TrueFalseField,
    WholeNumberField,
)
from zone.partners.models import WebhookEndpoint
from zone.partners.objects import Shape, constant, list_of
from zone.partners.outbound import URL_LETTERS_MAX, AddressRefused
from zone.partners.paging import ListQuery, list_page
from zone.partners.services import webhooks

OVERLAP_HOURS_MAX = 72
SELECTORS_MAX = 60
_STATUSES = WebhookEndpoint.Status.values


class SelectorsField(serializers.ListField):
    """Event types, families such as `claim.*`, or `*`."""

    child = TextField(max_length=40)
    default_error_messages = {"unknown_type": _("No event is called %(name)s.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_length": 1, "max_length": SELECTORS_MAX, **options})

    def to_internal_value(self, data: Any) -> list[str]:
        selectors: list[str] = super().to_internal_value(data)
        if unknown := unknown_selectors(selectors):
            message = str(self.error_messages["unknown_type"]) % {"name": unknown[0]}
            raise serializers.ValidationError(message, code="unknown_type")
        return selectors


class EndpointInput(StrictSerializer):
    """Where to send, and what."""

    url = TextField(max_length=URL_LETTERS_MAX)
    event_types = SelectorsField()
    description = TextField(max_length=200, allow_blank=True, default="")


class EndpointChange(StrictSerializer):
    """What is not named stays as it is."""

    url = TextField(max_length=URL_LETTERS_MAX, required=False)
    event_types = SelectorsField(required=False)
    description = TextField(max_length=200, allow_blank=True, required=False)
    status = serializers.ChoiceField(choices=["enabled", "disabled"], required=False)


class EndpointObject(Shape):
    """An address that is told of events. `paused` is by us, with the reason."""

    object = constant("webhook_endpoint")
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    url = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    api_version = serializers.CharField()
    status = serializers.ChoiceField(choices=_STATUSES)
    status_reason = serializers.CharField(allow_null=True)
    last_success_at = InstantField(allow_null=True)
    failing_since = InstantField(allow_null=True)
    # Until then what is sent is signed with the secret before as well.
    previous_secret_until = InstantField(allow_null=True)
    created_at = InstantField()


class EndpointWithSecret(EndpointObject):
    """The one answer that shows the secret."""

    secret = serializers.CharField()


class RotateInput(StrictSerializer):
    """For how many hours both secrets sign."""

    overlap_hours = WholeNumberField(min_value=0, max_value=OVERLAP_HOURS_MAX, default=24)


class PingObject(Shape):
    """What came of a ping: a status, or a fault in one word."""

    object = constant("webhook_ping")
    endpoint = serializers.CharField()
    event = serializers.CharField()
    delivered = serializers.BooleanField()
    http_status = serializers.IntegerField(allow_null=True)
    fault = serializers.CharField(allow_null=True)
    milliseconds = serializers.IntegerField(min_value=0)


class RangeInput(StrictSerializer):
    """What happened in [from, to): what failed, or everything the endpoint asks for."""

    to = InstantField()
    only_failed = TrueFalseField(default=True)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's own.
        return {"from": InstantField(), **super().get_fields()}


class RangeObject(Shape):
    """How many deliveries were set on their way."""

    object = constant("webhook_redelivery")
    endpoint = serializers.CharField()
    count = serializers.IntegerField(min_value=0)


EndpointList = list_of(EndpointObject)


def _facts_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    until = endpoint.previous_secret_until
    return {
        "object": "webhook_endpoint",
        "id": endpoint.public_id,
        "livemode": endpoint.livemode,
        "url": endpoint.url,
        "event_types": endpoint.event_types,
        "description": endpoint.description,
        "api_version": endpoint.api_version,
        "status": endpoint.status,
        "status_reason": endpoint.status_reason or None,
        "last_success_at": endpoint.last_success_at,
        "failing_since": endpoint.failing_since,
        "previous_secret_until": until if until and until > clock.now() else None,
        "created_at": endpoint.created_at,
    }


def present_endpoint(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return dict(EndpointObject(_facts_of(endpoint)).data)


def _with_secret(endpoint: WebhookEndpoint, secret: str) -> dict[str, Any]:
    return dict(EndpointWithSecret({**_facts_of(endpoint), "secret": secret}).data)


def _own_endpoints(call: Call) -> QuerySet[WebhookEndpoint]:
    return webhooks.open_endpoints(partner=call.partner, livemode=call.livemode)


def _own_endpoint(call: Call, endpoint_id: str) -> WebhookEndpoint:
    endpoint = _own_endpoints(call).filter(public_id=endpoint_id).first()
    if endpoint is None:
        raise NotFound
    return endpoint


def _invalid_url(refusal: AddressRefused) -> serializers.ValidationError:
    detail = serializers.ErrorDetail(str(refusal.why), code=refusal.fault)
    return serializers.ValidationError({"url": [detail]})


@operation(
    summary="List webhook endpoints",
    tag="webhooks",
    scope="webhooks:read",
    query=ListQuery,
    answers={200: EndpointList},
)
def list_endpoints(call: Call) -> Answer:
    """Your endpoints in the key's mode, newest first."""
    page = list_page(
        _own_endpoints(call).order_by("-pk"),
        query=call.query,
        owner=call.owner,
        present=lambda endpoints: [present_endpoint(endpoint) for endpoint in endpoints],
    )
    return Answer(200, page)


@operation(
    summary="Register a webhook endpoint",
    tag="webhooks",
    scope="webhooks:write",
    body=EndpointInput,
    answers={201: EndpointWithSecret},
    is_idempotent_by_key=True,
    carries_secret=True,
    refusals=("limit_reached",),
)
def create_endpoint(call: Call) -> Answer:
    """Events recorded from now on are sent there, signed as Standard Webhooks 1.0 says.

    `secret` is shown this once. Taken are https addresses under a public name, on port 443 or
    8443; at most 10 in one mode.
    """
    try:
        endpoint, secret = webhooks.create_endpoint(
            partner=call.partner, livemode=call.livemode, api_version=call.version, **call.body
        )
    except AddressRefused as refusal:
        raise _invalid_url(refusal) from refusal
    return Answer(201, _with_secret(endpoint, secret))


@operation(
    summary="Read a webhook endpoint",
    tag="webhooks",
    scope="webhooks:read",
    answers={200: EndpointObject},
)
def get_endpoint(call: Call, webhook_endpoint_id: str) -> Answer:
    """One of your endpoints, with how it fares."""
    return Answer(200, present_endpoint(_own_endpoint(call, webhook_endpoint_id)))


@operation(
    summary="Change a webhook endpoint",
    tag="webhooks",
    scope="webhooks:write",
    body=EndpointChange,
    answers={200: EndpointObject},
)
def change_endpoint(call: Call, webhook_endpoint_id: str) -> Answer:
    """What is named is changed. Enabled again, what waited for it goes out at once."""
    body, endpoint = call.body, _own_endpoint(call, webhook_endpoint_id)
    change = webhooks.Change(
        url=body.get("url"),
        event_types=body.get("event_types"),
        description=body.get("description"),
        is_enabled=body["status"] == "enabled" if "status" in body else None,
    )
    try:
        endpoint = webhooks.change_endpoint(endpoint=endpoint, change=change)
    except AddressRefused as refusal:
        raise _invalid_url(refusal) from refusal
    return Answer(200, present_endpoint(endpoint))


@operation(
    summary="Delete a webhook endpoint",
    tag="webhooks",
    scope="webhooks:write",
    answers={204: None},
)
def delete_endpoint(call: Call, webhook_endpoint_id: str) -> Answer:
    """Nothing more is sent there, and its deliveries cannot be read any more."""
    webhooks.delete_endpoint(endpoint=_own_endpoint(call, webhook_endpoint_id))
    return Answer(204, None)


@operation(
    summary="Replace an endpoint's secret",
    tag="webhooks",
    scope="webhooks:write",
    body=RotateInput,
    answers={200: EndpointWithSecret},
    is_idempotent_by_key=True,
    carries_secret=True,
)
def rotate_endpoint(call: Call, webhook_endpoint_id: str) -> Answer:
    """A new `secret`, shown this once; for `overlap_hours` both sign. Never more than two do."""
    endpoint, secret = webhooks.rotate_secret(
        endpoint=_own_endpoint(call, webhook_endpoint_id),
        overlap=timedelta(hours=call.body["overlap_hours"]),
    )
    return Answer(200, _with_secret(endpoint, secret))


@operation(
    summary="Ping a webhook endpoint",
    tag="webhooks",
    scope="webhooks:write",
    answers={200: PingObject},
    is_idempotent_by_key=True,
)
def ping_endpoint(call: Call, webhook_endpoint_id: str) -> Answer:
    """Sends a `ping` now, whatever the endpoint's status, and says within 5 s what came of it."""
    endpoint = _own_endpoint(call, webhook_endpoint_id)
    event, heard = webhooks.ping_endpoint(endpoint=endpoint)
    facts = {
        "object": "webhook_ping",
        "endpoint": endpoint.public_id,
        "event": event.public_id,
        "delivered": heard.is_good,
        "http_status": heard.status,
        "fault": heard.fault or None,
        "milliseconds": heard.milliseconds,
    }
    return Answer(200, dict(PingObject(facts).data))


@operation(
    summary="Send a time range again",
    tag="webhooks",
    scope="webhooks:write",
    body=RangeInput,
    answers={200: RangeObject},
    is_idempotent_by_key=True,
    refusals=("invalid_state",),
)
def redeliver_range(call: Call, webhook_endpoint_id: str) -> Answer:
    """What happened in the range is sent again, under the same event ids.

    With `only_failed` (the default) what failed; without, also what was never sent because the
    endpoint was disabled or paused.
    """
    endpoint = _own_endpoint(call, webhook_endpoint_id)
    count = webhooks.redeliver_range(
        endpoint=endpoint,
        since=call.body["from"],
        until=call.body["to"],
        only_failed=call.body["only_failed"],
    )
    facts = {"object": "webhook_redelivery", "endpoint": endpoint.public_id, "count": count}
    return Answer(200, dict(RangeObject(facts).data))
