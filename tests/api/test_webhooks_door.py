"""Endpoints and deliveries, as a partner keeps them over HTTP."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from standardwebhooks import Webhook

from tests.api.caller import Caller
from tests.partners.receiver import NAME
from zone.core.clock import database_now
from zone.partners.models import IdempotencyRecord, WebhookDelivery, WebhookEndpoint
from zone.partners.services.deliveries import deliver_webhooks
from zone.partners.services.events import record_event


def listen(caller, url, event_types=("*",), **options):
    body = {"url": url, "event_types": list(event_types)}
    return caller.post("/webhook_endpoints", body, **options)


def tell(partner, name="clm_1"):
    with transaction.atomic():
        return record_event(
            partner_id=partner.pk,
            livemode=True,
            type="claim.granted",
            data={"object": "claim", "id": name},
        )


def patch(caller, endpoint, **members):
    return caller.send(
        "PATCH", f"/webhook_endpoints/{endpoint}", json.dumps(members), "application/json"
    )


def errors(answer):
    assert answer.status_code == 422, answer.json()
    return [(row["pointer"], row["code"]) for row in answer.json()["errors"]]


def test_the_secret_is_shown_once_and_kept_sealed(caller, receiver):
    answer = listen(caller, receiver.url("/in"), key="k-1")
    made = answer.json()
    assert answer.status_code == 201
    assert made["secret"].startswith("whsec_")
    assert {"object": "webhook_endpoint", "status": "enabled", "event_types": ["*"]}.items() <= (
        made.items()
    )
    again = listen(caller, receiver.url("/in"), key="k-1")
    assert (again.json(), again["Idempotent-Replayed"]) == (made, "true")
    assert WebhookEndpoint.objects.count() == 1
    shown = caller.get(f"/webhook_endpoints/{made['id']}").json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    secret = made["secret"].encode()
    for record in IdempotencyRecord.objects.all():
        assert secret not in bytes(record.body)
    assert secret not in bytes(WebhookEndpoint.objects.get().secret_sealed)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"url": "http://hooks.acme.example/"}, ("/url", "scheme")),
        ({"url": "https://127.0.0.1/"}, ("/url", "host")),
        ({"url": "https://a:b@hooks.acme.example/"}, ("/url", "user_info")),
        ({"url": "https://unknown.example/"}, ("/url", "unresolved")),
        ({"url": 7}, ("/url", "not_text")),
        ({"event_types": []}, ("/event_types", "min_length")),
        ({"event_types": ["claim.eaten"]}, ("/event_types", "unknown_type")),
        ({"event_types": ["ping"]}, ("/event_types", "unknown_type")),
        ({"event_types": "*"}, ("/event_types", "not_a_list")),
        ({"secret": "whsec_mine"}, ("/secret", "unknown_member")),
    ],
)
def test_what_is_refused(caller, names, body, wrong):
    full = {"url": f"https://{NAME}/in", "event_types": ["*"], **body}
    assert errors(caller.post("/webhook_endpoints", full)) == [wrong]
    assert WebhookEndpoint.objects.count() == 0


def test_a_name_that_leads_inside_is_refused_at_both_doors(caller, receiver, names, settings):
    made = listen(caller, receiver.url("/in")).json()
    settings.WEBHOOK_INNER_NETWORKS = []
    names.addresses["inner.example"] = ["10.0.0.8"]
    assert errors(listen(caller, "https://inner.example/")) == [("/url", "blocked_address")]
    answer = patch(caller, made["id"], url="https://inner.example/")
    assert errors(answer) == [("/url", "blocked_address")]


def test_at_most_ten_in_one_mode(caller, partner, receiver):
    for number in range(10):
        assert listen(caller, receiver.url(f"/{number}")).status_code == 201
    over = listen(caller, receiver.url("/11"))
    assert (over.status_code, over.json()["code"]) == (409, "limit_reached")
    assert "limit" not in over.json(), "none of a member's"
    in_test = Caller.of(partner, livemode=False)
    assert listen(in_test, receiver.url("/1")).status_code == 201
    first = WebhookEndpoint.objects.earliest("pk").public_id
    gone = caller.send("DELETE", f"/webhook_endpoints/{first}")
    assert (gone.status_code, gone.content, gone.headers.get("Content-Type")) == (204, b"", None)
    assert caller.get(f"/webhook_endpoints/{first}").status_code == 404
    assert listen(caller, receiver.url("/11")).status_code == 201
    assert len(caller.get("/webhook_endpoints", {"limit": 100}).json()["data"]) == 10


def test_disabled_hears_nothing_and_enabled_hears_what_waited(caller, partner, receiver):
    made = listen(caller, receiver.url("/in")).json()["id"]
    tell(partner, "clm_1")
    assert patch(caller, made, status="disabled").json()["status_reason"] == "by_partner"
    tell(partner, "clm_2")
    assert deliver_webhooks() == 0
    assert patch(caller, made, status="enabled").json()["status"] == "enabled"
    assert deliver_webhooks() == 1
    body = {"from": "2026-01-01T00:00:00Z", "to": "2036-01-01T00:00:00Z", "only_failed": False}
    answer = caller.post(f"/webhook_endpoints/{made}/redeliver", body)
    assert answer.json() == {"object": "webhook_redelivery", "endpoint": made, "count": 2}
    assert deliver_webhooks() == 2
    told = [json.loads(letter.body)["data"]["object"]["id"] for letter in receiver.letters]
    assert sorted(told) == ["clm_1", "clm_1", "clm_2"]


def test_rotating(caller, partner, receiver):
    made = listen(caller, receiver.url("/in")).json()
    path = f"/webhook_endpoints/{made['id']}/rotate"
    turned = caller.post(path, {"overlap_hours": 2}).json()
    assert turned["secret"] != made["secret"]
    assert turned["previous_secret_until"]
    tell(partner)
    deliver_webhooks()
    for secret in (made["secret"], turned["secret"]):
        Webhook(secret).verify(receiver.letters[0].body, receiver.letters[0].headers)
    at_once = caller.post(path, {"overlap_hours": 0}).json()
    assert at_once["previous_secret_until"] is None
    tell(partner)
    deliver_webhooks()
    assert len(receiver.letters[1].headers["webhook-signature"].split()) == 1
    assert errors(caller.post(path, {"overlap_hours": 73})) == [("/overlap_hours", "max_value")]


def test_ping(caller, receiver):
    made = listen(caller, receiver.url("/told")).json()
    patch(caller, made["id"], status="disabled")
    path = f"/webhook_endpoints/{made['id']}/ping"
    heard = caller.post(path).json()
    assert (heard["delivered"], heard["http_status"], heard["fault"]) == (True, 200, None)
    letter = receiver.letters[0]
    shown = Webhook(made["secret"]).verify(letter.body, letter.headers)
    assert (shown["type"], shown["id"]) == ("ping", heard["event"])
    receiver.status = 500
    assert caller.post(path).json()["delivered"] is False
    assert caller.get("/events").json()["data"] == []
    assert caller.get("/webhook_deliveries").json()["data"] == []


def test_deliveries_are_listed_and_sent_again(caller, partner, receiver):
    made = listen(caller, receiver.url("/told")).json()["id"]
    other = listen(caller, receiver.url("/in"), ["benefit.*"]).json()["id"]
    receiver.status = 500
    event = tell(partner)
    deliver_webhooks()
    [row] = caller.get("/webhook_deliveries", {"endpoint": made}).json()["data"]
    assert (row["event"], row["event_type"]) == (event.public_id, "claim.granted")
    assert (row["status"], row["attempts"][0]["http_status"]) == ("pending", 500)
    assert row["next_attempt_at"]
    assert caller.get("/webhook_deliveries", {"endpoint": other}).json()["data"] == []
    assert caller.get("/webhook_deliveries", {"status": "failed"}).json()["data"] == []
    path = f"/webhook_deliveries/{row['id']}"
    assert caller.get(path).json() == row
    waiting = caller.post(f"{path}/redeliver")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "invalid_state")
    WebhookDelivery.objects.update(state="failed", due_at=None)
    patch(caller, made, status="disabled")
    shut = caller.post(f"{path}/redeliver")
    assert (shut.status_code, shut.json()["code"]) == (409, "invalid_state")
    patch(caller, made, status="enabled")
    receiver.status = 200
    again = caller.post(f"{path}/redeliver").json()
    assert (again["status"], again["replay"]) == ("pending", True)
    deliver_webhooks()
    done = caller.get(path).json()
    assert (done["status"], [one["replay"] for one in done["attempts"]]) == (
        "delivered",
        [False, True],
    )


def test_a_range_sends_what_failed_in_it_and_nothing_else(caller, partner, receiver):
    made = listen(caller, receiver.url("/in")).json()["id"]
    for number in range(4):
        tell(partner, f"clm_{number}")
    deliver_webhooks()
    rows = list(WebhookDelivery.objects.order_by("pk"))
    now = database_now()
    for row, hours in zip(rows, (5, 3, 2, 0), strict=True):
        row.state = "delivered" if hours == 2 else "failed"
        row.occurred_at = now - timedelta(hours=hours)
        row.save()
    body = {
        "from": (now - timedelta(hours=4)).isoformat(timespec="milliseconds")[:23] + "Z",
        "to": (now - timedelta(hours=1)).isoformat(timespec="milliseconds")[:23] + "Z",
    }
    assert caller.post(f"/webhook_endpoints/{made}/redeliver", body).json()["count"] == 1
    receiver.letters.clear()
    deliver_webhooks()
    [letter] = receiver.letters
    assert json.loads(letter.body)["data"]["object"]["id"] == "clm_1"
