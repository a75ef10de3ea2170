"""Several workers send at once: each event once, and never more than four calls to one receiver."""

import threading
import time
from collections import Counter

from django.db import transaction

from tests.api.caller import make_partner
from tests.partners.hook_fixtures import authority, names, receiver
from tests.races.test_claim_races import crowd
from zone.partners.models import WebhookDelivery
from zone.partners.services import deliveries, webhooks
from zone.partners.services.events import record_event

__all__ = ["authority", "names", "receiver"]
EVENTS, WORKERS, SECONDS_MAX = 24, 4, 30
BUSY = "- (SELECT count(*) FROM partners_webhookdelivery AS busy"


def plan(url):
    partner = make_partner("acme")
    webhooks.create_endpoint(
        partner=partner, livemode=True, url=url, event_types=["*"], description="",
        api_version="2026-11-01",
    )  # fmt: skip
    for number in range(EVENTS):
        with transaction.atomic():
            record_event(
                partner_id=partner.pk, livemode=True, type="claim.granted",
                data={"object": "claim", "id": f"clm_{number}"},
            )  # fmt: skip


def keep_sending():
    """A worker: run after run, because one that meets another at the endpoint's lock ends at once."""
    until = time.monotonic() + SECONDS_MAX
    while WebhookDelivery.objects.filter(state="pending").exists():
        assert time.monotonic() < until, "not everything was sent"
        deliveries.deliver_webhooks()
        time.sleep(0.01)


def send_with_several(receiver):
    """The receiver thinks for a second, while which whoever may call does."""
    threading.Timer(1.0, receiver.open.set).start()
    answers = crowd([keep_sending] * WORKERS)
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    return Counter(letter.headers["webhook-id"] for letter in receiver.letters)


def test_each_is_sent_once_and_four_at_a_time(cloned_database, receiver):
    plan(receiver.url("/gate"))
    sent = send_with_several(receiver)
    assert (len(sent), set(sent.values())) == (EVENTS, {1})
    assert receiver.most_at_once <= deliveries.CALLS_OF_ONE
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_control_without_counting_those_under_way(cloned_database, receiver, monkeypatch):
    assert BUSY in deliveries._LEASE_DUE
    uncounted = deliveries._LEASE_DUE.replace("AND busy.leased_until > zone_now()", "AND false")
    monkeypatch.setattr(deliveries, "_LEASE_DUE", uncounted)
    plan(receiver.url("/gate"))
    send_with_several(receiver)
    assert receiver.most_at_once > deliveries.CALLS_OF_ONE


def test_an_eleventh_endpoint_at_one_moment(cloned_database, names):
    partner = make_partner("acme")

    def register(number):
        return lambda: webhooks.create_endpoint(
            partner=partner, livemode=True, url=f"https://hooks.acme.example:8443/{number}",
            event_types=["*"], description="", api_version="2026-11-01",
        )  # fmt: skip

    answers = crowd([register(number) for number in range(16)])
    refused = [a for a in answers if isinstance(a, webhooks.TooManyEndpoints)]
    assert (len(refused), partner.webhook_endpoints.count()) == (6, webhooks.ENDPOINTS_MAX)
