"""The event list: everything that happened, in the order it was committed."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from zone.core.errors import NotFound
from zone.partners.declarations import Answer, Call, operation
from zone.partners.errors import InvalidParameter
from zone.partners.event_shapes import EventObject, present_event
from zone.partners.fields import IdField
from zone.partners.models import Event
from zone.partners.objects import list_of
from zone.partners.paging import (
    LIMIT_DEFAULT,
    ListQuery,
    bind_filters,
    list_answer,
    read_cursor,
)
from zone.partners.services.events import list_settled_events

EventList = list_of(EventObject)


class EventQuery(ListQuery):
    after = IdField("evt", required=False, help_text="The last event you have.")


def own_events(call: Call) -> QuerySet[Event]:
    return Event.objects.filter(partner=call.partner, livemode=call.livemode)


@operation(
    summary="List events",
    tag="events",
    scope="events:read",
    query=EventQuery,
    answers={200: EventList},
)
def list_events(call: Call) -> Answer:
    """What changed in the last 30 days, oldest first: the way to catch up after an outage.

    An event appears once everything before it is final, so `after` never skips one.
    """
    query, events = call.query, own_events(call)
    limit, filters = query.get("limit", LIMIT_DEFAULT), bind_filters(call.owner, query)
    position = None
    if "cursor" in query:
        position = read_cursor(query["cursor"], filters)
    elif "after" in query:
        position = position_of(events, query["after"])
    found = list_settled_events(events, after=position, limit=limit + 1)
    page = found[:limit]
    last = [page[-1].transaction_number, page[-1].pk] if len(found) > limit else None
    rows = [present_event(event) for event in page]
    return Answer(200, list_answer(rows, last=last, filters=filters))


def position_of(events: QuerySet[Event], public_id: str) -> list[int]:
    """Where an event of the caller stands. Raises InvalidParameter when it is not there any more."""
    event = events.filter(public_id=public_id).first()
    if event is None:
        detail = str(_("This event is not yours, or is older than 30 days."))
        raise InvalidParameter(errors=[{"parameter": "after", "code": "unknown", "detail": detail}])
    return [event.transaction_number, event.pk]


@operation(
    summary="Read an event",
    tag="events",
    scope="events:read",
    answers={200: EventObject},
)
def get_event(call: Call, event_id: str) -> Answer:
    """One event of this partner."""
    event = own_events(call).filter(public_id=event_id).first()
    if event is None:
        raise NotFound
    return Answer(200, present_event(event))
