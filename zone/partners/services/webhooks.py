"""Where partners listen: registered, changed, re-keyed, taken away; and what is sent again."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from zone.core import clock, vault
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.ids import new_public_id
from zone.core.nudge import nudge
from zone.partners.event_shapes import pushed_body
from zone.partners.event_types import EVENT_TYPES, EVERYTHING, PING, selectors_of
from zone.partners.hook_signatures import (
    hook_headers,
    new_secret,
    open_secret,
    seal_secret,
    wrap_anew,
)
from zone.partners.models import Event, Partner, WebhookDelivery, WebhookEndpoint
from zone.partners.outbound import Heard, post, read_address
from zone.partners.services.planning import DRAIN_TASK, plan_deliveries

ENDPOINTS_MAX = 10
PING_SECONDS = 4.0
_PLANNED_AT_ONCE = 1000
Status = WebhookEndpoint.Status
State = WebhookDelivery.State


class TooManyEndpoints(ZoneError):
    code = "limit_reached"
    sentence = _("At most %(count)s endpoints in one mode. Delete one first.")

    def __init__(self) -> None:
        super().__init__(count=ENDPOINTS_MAX)


class EndpointNotOpen(ZoneError):
    code = "invalid_state"
    sentence = _("The endpoint is %(status)s. Enable it first.")


class StillOnItsWay(ZoneError):
    code = "invalid_state"
    sentence = _("This delivery still waits for its next try.")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of an endpoint; None leaves a thing as it is."""

    url: str | None = None
    event_types: Sequence[str] | None = None
    description: str | None = None
    is_enabled: bool | None = None


def create_endpoint(
    *,
    partner: Partner,
    livemode: bool,
    url: str,
    event_types: Sequence[str],
    description: str,
    api_version: str,
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, told of whatever is recorded from now on, and its secret.

    The secret is returned here and can never be read again. Raises TooManyEndpoints, and
    AddressRefused (see `zone.partners.outbound`).
    """
    read_address(url)
    secret = new_secret()
    public_id = new_public_id("whe")
    with transaction.atomic():
        # Two at once queue here, so that neither counts without the other.
        Partner.objects.select_for_update(no_key=True, of=("self",)).get(pk=partner.pk)
        if open_endpoints(partner=partner, livemode=livemode).count() >= ENDPOINTS_MAX:
            raise TooManyEndpoints
        endpoint = WebhookEndpoint.objects.create(
            public_id=public_id,
            partner=partner,
            livemode=livemode,
            url=url,
            event_types=_in_order(event_types),
            description=description,
            api_version=api_version,
            secret_sealed=seal_secret(secret, endpoint_id=public_id),
            created_at=database_now(),
        )
    return endpoint, secret


def open_endpoints(*, partner: Partner, livemode: bool) -> QuerySet[WebhookEndpoint]:
    """Those that were not deleted, of one partner in one mode."""
    return WebhookEndpoint.objects.filter(partner=partner, livemode=livemode, deleted_at=None)


def _in_order(event_types: Sequence[str]) -> list[str]:
    return [EVERYTHING] if EVERYTHING in event_types else sorted(set(event_types))


def change_endpoint(*, endpoint: WebhookEndpoint, change: Change) -> WebhookEndpoint:
    """The endpoint as it is then. Enabled again, it starts with a clean record.

    What waited for it goes out at once; what was never planned while it was shut is in the event
    list. Raises AddressRefused.
    """
    if change.url is not None:
        read_address(change.url)
    with transaction.atomic():
        held = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).get(
            pk=endpoint.pk
        )
        if change.url is not None:
            held.url = change.url
        if change.event_types is not None:
            held.event_types = _in_order(change.event_types)
        if change.description is not None:
            held.description = change.description
        if change.is_enabled is not None and change.is_enabled != held.is_enabled:
            held.status = Status.ENABLED if change.is_enabled else Status.DISABLED
            held.status_reason = "" if change.is_enabled else "by_partner"
            held.failing_since = held.resting_until = None
            held.paused_at = held.contact_told_at = None
        held.save()
        if held.is_enabled:
            nudge(DRAIN_TASK)
    return held


def delete_endpoint(*, endpoint: WebhookEndpoint) -> None:
    """Nothing is sent there any more, its secrets are gone, and what waited for it has failed."""
    with transaction.atomic():
        now = database_now()
        WebhookEndpoint.objects.filter(pk=endpoint.pk, deleted_at=None).update(
            deleted_at=now,
            status=Status.DISABLED,
            status_reason="deleted",
            secret_sealed=b"",
            previous_secret_sealed=None,
            previous_secret_until=None,
        )
        WebhookDelivery.objects.filter(endpoint=endpoint, state=State.PENDING).update(
            state=State.FAILED, due_at=None, leased_until=None
        )


def rotate_secret(*, endpoint: WebhookEndpoint, overlap: timedelta) -> tuple[WebhookEndpoint, str]:
    """A new secret; for `overlap` what is sent is signed with the old one too.

    A secret from before that was still in force ends now: there are never more than two.
    """
    secret = new_secret()
    with transaction.atomic():
        held = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).get(
            pk=endpoint.pk
        )
        held.previous_secret_sealed = bytes(held.secret_sealed) if overlap else None
        held.previous_secret_until = database_now() + overlap if overlap else None
        held.secret_sealed = seal_secret(secret, endpoint_id=held.public_id)
        held.save()
    return held, secret


def secrets_in_force(endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """The secrets to sign with, newest first. Raises VaultError."""
    sealed = [endpoint.secret_sealed]
    until = endpoint.previous_secret_until
    if endpoint.previous_secret_sealed is not None and until is not None and until > now:
        sealed.append(endpoint.previous_secret_sealed)
    return [open_secret(one, endpoint_id=endpoint.public_id) for one in sealed]


def wrap_secrets_anew() -> int:
    """Secrets that an older key-encryption key wraps are wrapped by the newest; how many rows."""
    count = 0
    for key in WebhookEndpoint.objects.filter(deleted_at=None).values_list("pk", flat=True):
        with transaction.atomic():
            held = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).get(pk=key)
            changed = {
                name: fresh
                for name in ("secret_sealed", "previous_secret_sealed")
                if (fresh := wrap_anew(getattr(held, name), endpoint_id=held.public_id))
            }
            count += WebhookEndpoint.objects.filter(pk=key).update(**changed) if changed else 0
    return count


def send_event(endpoint: WebhookEndpoint, event: Event, *, seconds: float) -> Heard:
    """Send an event once and hear what comes back. Asks the database nothing, and never raises."""
    try:
        in_force = secrets_in_force(endpoint, now=clock.now())
    except vault.VaultError:
        return Heard(0, fault="secret_unreadable")
    body = pushed_body(event)
    headers = hook_headers(
        in_force, message_id=event.public_id, timestamp=int(time.time()), body=body
    )
    return post(endpoint.url, body=body, headers=headers, seconds=seconds)


def ping_endpoint(*, endpoint: WebhookEndpoint) -> tuple[Event, Heard]:
    """A `ping`, sent now whatever the endpoint's state; it is in no list and counts for nothing."""
    event = Event(
        partner_id=endpoint.partner_id,
        livemode=endpoint.livemode,
        type=PING,
        object_id=endpoint.public_id,
        sequence=1,
        data={"object": "webhook_endpoint", "id": endpoint.public_id},
        api_version=endpoint.api_version,
        occurred_at=database_now(),
    )
    return event, send_event(endpoint, event, seconds=PING_SECONDS)


def redeliver(*, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send one again: the same event id, signed with the secrets of now, on the usual schedule.

    It is marked as a replay and changes nothing about how healthy the endpoint is held to be.
    Raises EndpointNotOpen, StillOnItsWay.
    """
    with transaction.atomic():
        held = (
            WebhookDelivery.objects.select_for_update(of=("self",))
            .select_related("endpoint")
            .get(pk=delivery.pk)
        )
        _refuse_unless_open(held.endpoint)
        if held.state == State.PENDING:
            raise StillOnItsWay(status=held.state)
        held.state, held.is_replay, held.tries = State.PENDING, True, 0
        held.due_at = database_now()
        held.save()
        nudge(DRAIN_TASK)
    return held


def redeliver_range(
    *, endpoint: WebhookEndpoint, since: datetime, until: datetime, only_failed: bool
) -> int:
    """Send again what happened in [since, until); says how many were set on their way.

    With `only_failed` what failed; else everything the endpoint asks to be told of, also what was
    never planned because it was shut. What waits for a try is left to it. Raises EndpointNotOpen.
    """
    with transaction.atomic():
        _refuse_unless_open(endpoint)
        found = WebhookDelivery.objects.filter(
            endpoint=endpoint, occurred_at__gte=since, occurred_at__lt=until
        )
        wanted = Q(state=State.FAILED) if only_failed else ~Q(state=State.PENDING)
        count = found.filter(wanted).update(
            state=State.PENDING, is_replay=True, tries=0, due_at=database_now()
        )
        if not only_failed:
            count += _plan_missed(endpoint, since, until)
        nudge(DRAIN_TASK)
    return count


def _refuse_unless_open(endpoint: WebhookEndpoint) -> None:
    if not endpoint.is_enabled:
        raise EndpointNotOpen(status=endpoint.status)


def _plan_missed(endpoint: WebhookEndpoint, since: datetime, until: datetime) -> int:
    """Deliveries of what the endpoint asks to be told of and was never planned for it."""
    events = Event.objects.filter(
        partner_id=endpoint.partner_id,
        livemode=endpoint.livemode,
        occurred_at__gte=since,
        occurred_at__lt=until,
    ).exclude(deliveries__endpoint=endpoint)
    if EVERYTHING not in endpoint.event_types:
        asked = set(endpoint.event_types)
        wanted = [name for name in EVENT_TYPES if not asked.isdisjoint(selectors_of(name))]
        events = events.filter(type__in=wanted)
    now, count = database_now(), 0
    missed = list(events.only("occurred_at", "partner_id", "livemode").order_by("pk"))
    for start in range(0, len(missed), _PLANNED_AT_ONCE):
        part = missed[start : start + _PLANNED_AT_ONCE]
        plan_deliveries([(endpoint.pk, event) for event in part], now=now, is_replay=True)
        count += len(part)
    return count
