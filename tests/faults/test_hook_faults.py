"""A worker killed before it sent, and one killed after: the event arrives, under the same id."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection, transaction

from tests.api.caller import make_partner
from tests.partners.hook_fixtures import authority, names, receiver
from zone.partners.models import WebhookDelivery
from zone.partners.services import deliveries, webhooks
from zone.partners.services.events import record_event

__all__ = ["authority", "names", "receiver"]
CODE = """
import socket
real = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: real(
    "127.0.0.1" if str(host).endswith(".example") else host, *rest, **more
)
import django; django.setup()
from zone.partners.services.deliveries import deliver_webhooks
deliver_webhooks()
"""


def work(database, **env):
    return subprocess.run(
        [sys.executable, "-c", CODE],
        env={
            **os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings",
            "WEBHOOK_INNER_NETWORKS": "127.0.0.0/8",
            "WEBHOOK_CA_FILE": settings.WEBHOOK_CA_FILE, **env,
        },
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=60,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failpoint", "arrived"), [("hook_after_lease", 0), ("hook_before_settle", 1)]
)
def test_a_killed_worker_loses_nothing(cloned_database, receiver, failpoint, arrived):
    partner = make_partner("acme")
    webhooks.create_endpoint(
        partner=partner, livemode=True, url=receiver.url("/in"), event_types=["*"],
        description="", api_version="2026-11-01",
    )  # fmt: skip
    with transaction.atomic():
        event = record_event(
            partner_id=partner.pk, livemode=True, type="claim.granted",
            data={"object": "claim", "id": "clm_1"},
        )  # fmt: skip
    died = work(cloned_database, ZONE_FAILPOINT=failpoint)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert len(receiver.letters) == arrived
    # While the lease lasts nobody else sends it; then somebody does.
    assert work(cloned_database).returncode == 0
    assert len(receiver.letters) == arrived
    with connection.cursor() as cursor:
        seconds = deliveries.LEASE.total_seconds() + 1
        cursor.execute(
            "UPDATE partners_webhookdelivery SET due_at = due_at - %s * interval '1 second',"
            " leased_until = leased_until - %s * interval '1 second'",
            [seconds, seconds],
        )
    done = work(cloned_database)
    assert done.returncode == 0, done.stderr
    assert {letter.headers["webhook-id"] for letter in receiver.letters} == {event.public_id}
    assert len(receiver.letters) == arrived + 1
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, len(delivery.attempts)) == ("delivered", 1)
