"""What is sent to a partner's endpoint, and what becomes of it when nobody takes it there."""

import json
import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from standardwebhooks import Webhook, WebhookVerificationError

from tests.partners.receiver import OTHER_NAME, Receiver
from zone.core.clock import database_now
from zone.partners.models import Event, WebhookDelivery, WebhookEndpoint
from zone.partners.outbound import Heard
from zone.partners.services import deliveries, webhooks
from zone.partners.services.deliveries import deliver_webhooks, pause_after, read_retry_after
from zone.partners.services.events import record_event
from zone.partners.services.forgetting import forget_in_events
from zone.partners.services.letters import write_to_contacts
from zone.partners.services.sweeps import sweep_records

State = WebhookDelivery.State
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def travel(offset: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('zone.clock_offset', %s, false)", [str(offset)])


@pytest.fixture(autouse=True)
def back_home(partner):
    yield
    travel(timedelta(0))


def listen(partner, url, *, event_types=("*",), livemode=True):
    endpoint, secret = webhooks.create_endpoint(
        partner=partner,
        livemode=livemode,
        url=url,
        event_types=event_types,
        description="",
        api_version="2026-11-01",
    )
    return endpoint, secret


def tell(partner, name="clm_1", *, type="claim.granted", livemode=True, **data):
    with transaction.atomic():
        return record_event(
            partner_id=partner.pk,
            livemode=livemode,
            type=type,
            data={"object": "claim", "id": name, **data},
        )


def only_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def test_an_event_arrives_signed_as_the_list_shows_it(partner, caller, receiver):
    _, secret = listen(partner, receiver.url("/in"))
    event = tell(partner, status="granted")
    assert deliver_webhooks() == 1
    [letter] = receiver.letters
    shown = Webhook(secret).verify(letter.body, letter.headers)  # The published library agrees.
    assert shown == caller.get(f"/events/{event.public_id}").json()
    assert letter.headers["webhook-id"] == event.public_id
    delivery = only_delivery()
    assert (delivery.state, delivery.due_at, delivery.leased_until) == (State.DELIVERED, None, None)
    [attempt] = delivery.attempts
    assert (attempt["http_status"], attempt["answer"], attempt["replay"]) == (200, "thanks", False)
    assert deliver_webhooks() == 0


def test_what_was_altered_or_is_old_is_refused_by_the_library(partner, receiver):
    _, secret = listen(partner, receiver.url("/in"))
    tell(partner)
    deliver_webhooks()
    [letter] = receiver.letters
    library = Webhook(secret)
    for body, headers in [
        (letter.body + b" ", letter.headers),
        (letter.body, {**letter.headers, "webhook-id": "evt_other"}),
        (
            letter.body,
            {**letter.headers, "webhook-timestamp": str(int(database_now().timestamp()) - 400)},
        ),
    ]:
        with pytest.raises(WebhookVerificationError):
            library.verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(webhooks.new_secret()).verify(letter.body, letter.headers)


@pytest.mark.parametrize(
    ("asked", "hears"),
    [
        (["*"], True),
        (["claim.*"], True),
        (["claim.granted"], True),
        (["claim.revoked"], False),
        (["benefit.*", "credits.*"], False),
    ],
)
def test_an_endpoint_hears_what_it_asked_for(partner, receiver, asked, hears):
    listen(partner, receiver.url("/in"), event_types=asked)
    tell(partner)
    assert deliver_webhooks() == int(hears)


def test_nobody_hears_what_is_another_s_or_of_the_other_mode(partner, rival, receiver):
    listen(partner, receiver.url("/in"))
    tell(rival.partner)
    tell(partner, livemode=False)
    assert deliver_webhooks() == 0


def test_an_undone_change_is_told_to_nobody(partner, receiver):
    listen(partner, receiver.url("/in"))
    with transaction.atomic():
        record_event(
            partner_id=partner.pk, livemode=True, type="claim.granted", data={"id": "clm_1"}
        )
        transaction.set_rollback(True)
    assert deliver_webhooks() == 0


def test_a_large_object_is_named_instead(partner, receiver):
    listen(partner, receiver.url("/in"))
    tell(partner, note="長" * 9000)
    deliver_webhooks()
    [letter] = receiver.letters
    assert len(letter.body) < 20_000
    assert json.loads(letter.body)["data"] == {
        "object": {"object": "claim", "id": "clm_1"},
        "previous": {},
    }


def test_both_secrets_sign_until_the_overlap_ends(partner, receiver):
    endpoint, old = listen(partner, receiver.url("/in"))
    _, new = webhooks.rotate_secret(endpoint=endpoint, overlap=timedelta(hours=24))
    tell(partner, "clm_1")
    deliver_webhooks()
    for secret in (old, new):
        Webhook(secret).verify(receiver.letters[-1].body, receiver.letters[-1].headers)
    WebhookEndpoint.objects.update(previous_secret_until=database_now() - timedelta(seconds=1))
    tell(partner, "clm_2")
    deliver_webhooks()
    letter = receiver.letters[-1]
    Webhook(new).verify(letter.body, letter.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(letter.body, letter.headers)


def test_the_schedule_is_kept_to_its_end(partner, receiver):
    """Ten tries in about 76 hours, each under the same id and with a time of its own."""
    listen(partner, receiver.url("/500"))
    event = tell(partner)
    waits, offset = [], timedelta(0)
    for _ in range(10):
        assert deliver_webhooks() == 1
        assert deliver_webhooks() == 0  # Not before its time.
        delivery = only_delivery()
        if delivery.due_at is None:
            break
        wait = delivery.due_at - database_now()
        waits.append(wait)
        offset += max(wait, timedelta(seconds=31)) + timedelta(seconds=1)
        travel(offset)
    assert [letter.headers["webhook-id"] for letter in receiver.letters] == [event.public_id] * 10
    assert delivery.state == State.FAILED
    assert [len(delivery.attempts), delivery.tries] == [10, 10]
    for wait, planned in zip(waits, deliveries.RETRIES, strict=True):
        assert planned * 0.79 <= wait <= planned * 1.21
    travel(offset + timedelta(days=2))
    assert deliver_webhooks() == 0


def test_a_receiver_that_was_down_hears_everything(partner, receiver):
    endpoint, _ = listen(partner, receiver.url("/told"))
    receiver.status = 500
    events = [tell(partner, f"clm_{number % 3}") for number in range(9)]
    for hour in range(7):
        travel(timedelta(hours=hour))
        deliver_webhooks()
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    receiver.status, receiver.letters[:] = 200, []
    for hour in range(7, 30):
        travel(timedelta(hours=hour))
        deliver_webhooks()
    heard = {letter.headers["webhook-id"] for letter in receiver.letters}
    assert heard == {event.public_id for event in events}
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {State.DELIVERED}
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.resting_until) == (None, None)


def test_gone_disables_and_the_contact_is_written_to(partner, receiver, settings):
    partner.contact_email = "ops@acme.example"
    partner.save()
    endpoint, _ = listen(partner, receiver.url("/gone"))
    tell(partner)
    deliver_webhooks()
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.status_reason) == ("disabled", "answered_410")
    tell(partner, "clm_2")
    travel(timedelta(hours=1))
    assert deliver_webhooks() == 0
    assert write_to_contacts() == 0  # Nowhere to send letters from.
    settings.EMAIL_HOST = "mail.example"
    assert [write_to_contacts(), write_to_contacts()] == [1, 0]
    [letter] = mail.outbox
    assert letter.to == ["ops@acme.example"]
    assert endpoint.public_id in letter.body
    assert endpoint.url in letter.subject


def test_five_days_without_success_pause_and_lose_nothing(partner, caller, receiver):
    endpoint, _ = listen(partner, receiver.url("/told"))
    listen(partner, receiver.url("/in"), event_types=["webhook_endpoint.*"])
    receiver.status = 500
    for day in range(6):
        travel(timedelta(days=day, minutes=day))
        tell(partner, f"clm_{day}")
        deliver_webhooks()
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.status_reason) == ("paused", "failing_for_five_days")
    deliver_webhooks()
    [told] = [letter for letter in receiver.letters if letter.path == "/in"]
    shown = json.loads(told.body)
    assert (shown["type"], shown["data"]["object"]["id"]) == (
        "webhook_endpoint.paused",
        endpoint.public_id,
    )
    tell(partner, "clm_while_paused")
    assert not endpoint.deliveries.filter(event__object_id="clm_while_paused").exists()
    # It works again: what waited goes out, and what was never planned when it is asked for.
    receiver.status, receiver.letters[:] = 200, []
    webhooks.change_endpoint(endpoint=endpoint, change=webhooks.Change(is_enabled=True))
    endpoint.refresh_from_db()
    now = database_now()
    count = webhooks.redeliver_range(
        endpoint=endpoint,
        since=now - timedelta(days=10),
        until=now + timedelta(1),
        only_failed=False,
    )
    assert count >= 1
    travel(timedelta(days=9))
    deliver_webhooks()
    heard = {json.loads(letter.body)["data"]["object"]["id"] for letter in receiver.letters}
    assert {f"clm_{day}" for day in range(6)} | {"clm_while_paused"} <= heard


def test_a_replay_is_marked_and_changes_no_health(partner, receiver):
    endpoint, _ = listen(partner, receiver.url("/told"))
    event = tell(partner)
    deliver_webhooks()
    receiver.status = 500
    webhooks.redeliver(delivery=only_delivery())
    with pytest.raises(webhooks.StillOnItsWay):
        webhooks.redeliver(delivery=only_delivery())
    deliver_webhooks()
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None
    delivery = only_delivery()
    assert [attempt["replay"] for attempt in delivery.attempts] == [False, True]
    assert {letter.headers["webhook-id"] for letter in receiver.letters} == {event.public_id}
    assert (delivery.state, delivery.tries) == (State.PENDING, 1)


def test_a_dead_endpoint_delays_no_other(partner, authority, receiver):
    """Twenty events for one that hangs and twenty for one that answers, in one run."""
    listen(partner, receiver.url("/hang", name=OTHER_NAME))
    other = Receiver(authority.chain())
    try:
        listen(partner, other.url("/in"))
        for number in range(20):
            tell(partner, f"clm_{number}")
        run = threading.Timer(1.5, receiver.open.set)
        run.start()
        assert deliver_webhooks() >= 24
        run.join()
        assert len(other.letters) == 20
        first_hung = min(letter.at for letter in receiver.letters)
        assert max(letter.at for letter in other.letters) - first_hung < 1.5
        assert receiver.most_at_once <= deliveries.CALLS_OF_ONE
        assert other.most_at_once <= deliveries.CALLS_OF_ONE
    finally:
        other.stop()


def test_a_lapsed_lease_is_sent_again_and_its_late_answer_not_written(partner, receiver):
    listen(partner, receiver.url("/in"))
    tell(partner)
    [late] = deliveries.lease_due(limit=10)
    assert deliver_webhooks() == 0  # It is somebody's.
    travel(deliveries.LEASE + timedelta(seconds=1))
    assert deliver_webhooks() == 1
    assert deliveries.settle(late, Heard(1, status=500)) is False
    assert (only_delivery().state, len(only_delivery().attempts)) == (State.DELIVERED, 1)


def test_a_suspended_partner_hears_nothing(partner, receiver):
    listen(partner, receiver.url("/in"))
    tell(partner)
    partner.status = "suspended"
    partner.save()
    assert deliver_webhooks() == 0


def test_a_name_that_leads_inside_later_is_not_called(partner, receiver, settings, names):
    listen(partner, receiver.url("/in"))
    settings.WEBHOOK_INNER_NETWORKS = []
    WebhookEndpoint.objects.update(url="https://hooks.acme.example/in")
    tell(partner)
    deliver_webhooks()
    assert [attempt["fault"] for attempt in only_delivery().attempts] == ["blocked_address"]
    assert receiver.letters == []


def test_after_thirty_days_both_are_forgotten(partner, receiver):
    endpoint, _ = listen(partner, receiver.url("/in"))
    tell(partner)
    deliver_webhooks()
    webhooks.delete_endpoint(endpoint=endpoint)
    travel(timedelta(days=29))
    sweep_records()
    assert (Event.objects.count(), WebhookDelivery.objects.count()) == (1, 1)
    travel(timedelta(days=31))
    sweep_records()
    assert (Event.objects.count(), WebhookDelivery.objects.count()) == (0, 0)
    assert not WebhookEndpoint.objects.exists()


def test_a_receiver_that_says_when_to_come_back_is_obeyed():
    def exact(low: float, high: float) -> float:
        return 1.0

    def pause(status: int, asked: str) -> timedelta:
        return pause_after(1, Heard(1, status=status, retry_after=asked), now=NOW, chance=exact)

    assert pause(503, "7200") == timedelta(hours=2)
    assert pause(429, "Sun, 22 Nov 2026 13:00:00 GMT") == timedelta(hours=1)
    assert pause(503, "999999999999") == timedelta(hours=24)
    assert pause(500, "7200") == timedelta(seconds=5)
    for asked in ("", "soon", "-1", "1", "Sun, 22 Nov 2020 13:00:00 GMT", "٣٠٠"):
        assert pause(503, asked) == timedelta(seconds=5), asked
    assert read_retry_after("Sun, 99 Nov 2026 13:00:00 GMT", now=NOW) is None


def test_secrets_move_to_a_new_key_encryption_key(partner, receiver, settings):
    endpoint, old = listen(partner, receiver.url("/in"))
    _, new = webhooks.rotate_secret(endpoint=endpoint, overlap=timedelta(hours=1))
    version = max(settings.ZONE_KEYS) + 1
    settings.ZONE_KEYS = {**settings.ZONE_KEYS, version: os.urandom(32)}
    assert [webhooks.wrap_secrets_anew(), webhooks.wrap_secrets_anew()] == [1, 0]
    settings.ZONE_KEYS = {version: settings.ZONE_KEYS[version]}  # The older ones are gone.
    tell(partner)
    deliver_webhooks()
    for secret in (old, new):
        Webhook(secret).verify(receiver.letters[0].body, receiver.letters[0].headers)


def test_what_a_receiver_repeated_is_forgotten_with_the_member(partner, receiver):
    listen(partner, receiver.url("/in"))
    tell(partner, "clm_1", external_id="order-1")
    tell(partner, "clm_2")
    deliver_webhooks()
    forget_in_events(partner_id=partner.pk, object_ids=["clm_1"])
    said = {
        delivery.event.object_id: delivery.attempts[0]["answer"]
        for delivery in WebhookDelivery.objects.select_related("event")
    }
    assert said == {"clm_1": "", "clm_2": "thanks"}
