"""An event as a partner reads it: in the list, and in what is sent to its endpoints."""

from typing import Any

from rest_framework import serializers

from zone.partners.fields import InstantField
from zone.partners.models import Event
from zone.partners.objects import Shape, constant
from zone.partners.problems import render_json

PUSHED_BYTES_MAX = 20_000


class EventData(Shape):
    """The object as it was after the change, and what the change replaced."""

    object = serializers.DictField()
    previous = serializers.DictField()


class EventObject(Shape):
    """One change. `sequence` rises by one per object: keep the highest."""

    object = constant("event")
    id = serializers.CharField()
    type = serializers.CharField()
    livemode = serializers.BooleanField()
    api_version = serializers.CharField()
    sequence = serializers.IntegerField(min_value=1)
    timestamp = InstantField()
    data = EventData()


def present_event(event: Event) -> dict[str, Any]:
    facts = {
        "object": "event",
        "id": event.public_id,
        "type": event.type,
        "livemode": event.livemode,
        "api_version": event.api_version,
        "sequence": event.sequence,
        "timestamp": event.occurred_at,
        "data": {"object": event.data, "previous": event.previous},
    }
    return dict(EventObject(facts).data)


def pushed_body(event: Event) -> bytes:
    """What is sent, and signed, to the byte; under 20 KB.

    An object that is longer is named instead: whoever hears of it reads it.
    """
    shown = present_event(event)
    body = render_json(shown)
    if len(body) > PUSHED_BYTES_MAX:
        named = {name: event.data[name] for name in ("object", "id") if name in event.data}
        body = render_json({**shown, "data": {"object": named, "previous": {}}})
    return body
