"""Operators look after endpoints: see, ping, enable, send again; never a secret."""

import pytest
from django.db import transaction
from django.test import Client

from tests.factories import make_operator, sign_in_operator
from zone.console.queries.queue import list_queues
from zone.partners.models import WebhookDelivery, WebhookEndpoint
from zone.partners.services import webhooks
from zone.partners.services.deliveries import deliver_webhooks
from zone.partners.services.events import record_event

LIST = "/console/partners/webhookendpoint/"
DELIVERIES = "/console/partners/webhookdelivery/"


def sign_in(role):
    client, operator = Client(), make_operator(role)
    sign_in_operator(client, operator)
    return client, operator


@pytest.fixture
def endpoint(partner, receiver):
    made, _ = webhooks.create_endpoint(
        partner=partner,
        livemode=True,
        url=receiver.url("/told"),
        event_types=["*"],
        description="",
        api_version="2026-11-01",
    )
    with transaction.atomic():
        record_event(
            partner_id=partner.pk,
            livemode=True,
            type="claim.granted",
            data={"object": "claim", "id": "clm_1"},
        )
    receiver.status = 500
    deliver_webhooks()
    return made


def act(client, page, action, row):
    return client.post(page, {"action": action, "_selected_action": [row.pk]}, follow=True)


def test_a_paused_endpoint_waits_for_its_manager_and_is_enabled(endpoint, receiver):
    WebhookEndpoint.objects.update(status="paused", status_reason="failing_for_five_days")
    client, operator = sign_in("partner manager")
    [line] = [line for line in list_queues(operator) or [] if "webhookendpoint" in line.link]
    assert line.count == 1
    page = client.get(line.link)
    assert endpoint.public_id in page.content.decode()
    said = act(client, LIST, "enable", endpoint).content.decode()
    assert "1 endpoint is enabled." in said
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.failing_since) == ("enabled", None)
    assert not [one for one in list_queues(operator) or [] if "webhookendpoint" in one.link]


def test_ping_from_the_console(endpoint, receiver):
    client, _ = sign_in("partner manager")
    assert "answered 500 after" in act(client, LIST, "ping", endpoint).content.decode()
    receiver.status = 200
    assert "answered 200 after" in act(client, LIST, "ping", endpoint).content.decode()


def test_tries_are_shown_and_sent_again(endpoint, receiver):
    client, _ = sign_in("partner manager")
    delivery = WebhookDelivery.objects.get()
    page = client.get(f"{DELIVERIES}{delivery.pk}/change/").content.decode()
    assert "500" in page
    assert "thanks" in page
    assert "still waits" in act(client, DELIVERIES, "send_again", delivery).content.decode()
    WebhookDelivery.objects.update(state="failed", due_at=None)
    assert (
        "1 delivery is on its way"
        in act(client, DELIVERIES, "send_again", delivery).content.decode()
    )
    receiver.status = 200
    WebhookEndpoint.objects.update(resting_until=None)
    assert deliver_webhooks() == 1


def test_no_page_shows_a_secret_and_an_auditor_changes_nothing(endpoint):
    client, _ = sign_in("auditor")
    page = client.get(f"{LIST}{endpoint.pk}/change/").content.decode()
    assert endpoint.url in page
    assert "secret_sealed" not in page
    act(client, LIST, "enable", endpoint)
    WebhookEndpoint.objects.update(status="paused")
    act(client, LIST, "enable", endpoint)
    endpoint.refresh_from_db()
    assert endpoint.status == "paused"
