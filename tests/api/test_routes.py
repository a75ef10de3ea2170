"""Every route below /api/v1 against everybody who might call it. A route missing here fails."""

import pytest
from django.apps import apps
from django.test import Client
from django.urls import get_resolver

from benefits.models import Claim
from credits.queries import list_entries
from tests.api.caller import Caller, basic
from tests.benefits.factories import give_credits
from tests.factories import make_member
from tests.partners.receiver import NAME
from zone.core.clock import database_now
from zone.members.services.partner_members import introduce_member
from zone.partners.models import Event, WebhookDelivery

# method, route, scope, status for the partner that may, status for another partner
ROUTES = [
    ("GET", "benefits", "benefits:read", 200, 200),
    ("GET", "benefits/{benefit}", "benefits:read", 200, 404),
    ("POST", "benefits/{benefit}/eligibility", "benefits:read", 200, 404),
    ("GET", "claims", "claims:read", 200, 200),
    ("POST", "claims", "claims:grant", 201, 404),
    ("GET", "claims/{claim}", "claims:read", 200, 404),
    ("POST", "claims/redeem", "claims:redeem", 201, 404),
    ("POST", "claims/report_code", "claims:redeem", 201, 404),
    ("POST", "claims/validate", "claims:redeem", 200, 404),
    ("POST", "claims/{claim}/revoke", "claims:revoke", 200, 404),
    ("GET", "credit_entries", "credits:read", 200, 404),
    ("GET", "credit_entries/{entry}", "credits:read", 200, 404),
    ("GET", "events", "events:read", 200, 200),
    ("GET", "events/{event}", "events:read", 200, 404),
    ("GET", "members", "members:read", 200, 200),
    ("GET", "members/{member}", "members:read", 200, 404),
    ("POST", "members/{member}/erase", "members:write", 202, 404),
    ("GET", "members/{member}/credits", "credits:read", 200, 404),
    ("GET", "redemptions", "claims:read", 200, 200),
    ("GET", "redemptions/{redemption}", "claims:read", 200, 404),
    ("POST", "redemptions/{redemption}/rollback", "claims:redeem", 200, 404),
    ("POST", "stock_holds", "claims:grant", 200, 404),
    ("GET", "stock_holds/{stock_hold}", "claims:read", 200, 404),
    ("POST", "stock_holds/{stock_hold}/release", "claims:grant", 200, 404),
    ("GET", "webhook_deliveries", "webhooks:read", 200, 200),
    ("GET", "webhook_deliveries/{webhook_delivery}", "webhooks:read", 200, 404),
    ("POST", "webhook_deliveries/{webhook_delivery}/redeliver", "webhooks:write", 200, 404),
    ("GET", "webhook_endpoints", "webhooks:read", 200, 200),
    ("POST", "webhook_endpoints", "webhooks:write", 201, 201),
    ("GET", "webhook_endpoints/{webhook_endpoint}", "webhooks:read", 200, 404),
    ("PATCH", "webhook_endpoints/{webhook_endpoint}", "webhooks:write", 200, 404),
    ("DELETE", "webhook_endpoints/{webhook_endpoint}", "webhooks:write", 204, 404),
    ("POST", "webhook_endpoints/{webhook_endpoint}/ping", "webhooks:write", 200, 404),
    ("POST", "webhook_endpoints/{webhook_endpoint}/redeliver", "webhooks:write", 200, 404),
    ("POST", "webhook_endpoints/{webhook_endpoint}/rotate", "webhooks:write", 200, 404),
]
# Addresses that ask for no bearer token.
OPEN_ROUTES = [
    ("POST", "oauth/token", 401),
    ("POST", "oauth/revoke", 401),
    ("GET", "openapi.json", 200),
]
LISTEN = {"url": f"https://{NAME}/in", "event_types": ["*"]}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def known_routes():
    """method and path of every verb the resolver leads to, path parameters as `{noun}`."""
    found = set()

    def walk(patterns, prefix):
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns, path)
            elif path.startswith("api/v1/"):
                plain = path.removeprefix("api/v1/").replace("<str:", "{").replace("_id>", "}")
                for method in pattern.callback.cls.operations:
                    found.add((method.upper(), plain))

    walk(get_resolver().url_patterns, "")
    return found


def test_no_route_is_missing_from_the_table():
    listed = {row[:2] for row in ROUTES} | {row[:2] for row in OPEN_ROUTES}
    assert known_routes() == listed


@pytest.fixture
def world(caller, known_alice, alice, release, names):
    listened = caller.post("/webhook_endpoints", LISTEN).json()
    give_credits(alice, 500)
    entry = list_entries(alice)[0]
    body = {
        "member": known_alice,
        "benefit": release.benefit.public_id,
        "external_id": "order-0",
    }
    claim = caller.post("/claims", body).json()
    release.benefit.releases.update(per_member=3)
    second = caller.post("/claims", {**body, "external_id": "order-00"}).json()
    used = caller.post(
        "/claims/redeem",
        {"claim": second["id"], "external_id": "use-0", "order": {"reference": "A-0"}},
    ).json()
    held = caller.post("/stock_holds", {**body, "external_id": "hold-0"}).json()
    delivery = WebhookDelivery.objects.latest("pk")
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state="failed", due_at=None)
    return {
        "webhook_endpoint": listened["id"],
        "webhook_delivery": delivery.public_id,
        "member": known_alice,
        "benefit": release.benefit.public_id,
        "stock_hold": held["id"],
        "claim": claim["id"],
        "entry": entry.public_id,
        "event": Event.objects.first().public_id,
        "redemption": used["id"],
    }


def call(who, method, route, world):
    path = "/" + route.format(**world)
    if (method, route) == ("POST", "webhook_endpoints"):
        return who.post(path, LISTEN)
    if route.endswith(("/rotate", "/ping", "deliveries/{webhook_delivery}/redeliver")):
        return who.post(path)
    if route.endswith("/redeliver"):
        return who.post(path, {"from": "2026-01-01T00:00:00Z", "to": "2036-01-01T00:00:00Z"})
    if method == "PATCH":
        return who.send(method, path, "{}", "application/json")
    if route == "members":
        return who.send(method, path + "?external_id=u-1")
    if route == "credit_entries":
        return who.send(method, f"{path}?member={world['member']}")
    if route.endswith("/eligibility"):
        return who.post(path, {"member": world["member"]})
    if route.endswith("/erase"):
        return who.post(path, {"reason": "member_request"})
    if route.endswith("/revoke"):
        return who.post(path, {"reason": "other"})
    if route.endswith("/release"):
        return who.post(path)
    if route.endswith("/rollback"):
        return who.post(path, {"reason": "returned"})
    if route == "claims/validate":
        return who.post(path, {"claim": world["claim"]})
    if route == "claims/report_code":
        Claim.objects.filter(public_id=world["claim"]).update(revealed_at=database_now())
        return who.post(path, {"claim": world["claim"], "reason": "invalid"})
    if route == "claims/redeem":
        order = {"reference": "A-1"}
        return who.post(path, {"claim": world["claim"], "external_id": "use-1", "order": order})
    if (method, route) in (("POST", "claims"), ("POST", "stock_holds")):
        body = {
            "member": world["member"],
            "benefit": world["benefit"],
            "external_id": "order-1" if route == "claims" else "hold-0",
        }
        return who.post(path, body)
    return who.send(method, path)


@pytest.mark.parametrize(
    ("method", "route", "scope", "own", "foreign"), ROUTES, ids=lambda value: str(value)
)
def test_who_gets_what(partner, rival, world, method, route, scope, own, foreign):
    only = Caller.of(partner, scopes=[scope])
    others = [name for name in Caller.of(partner).key.scopes if name != scope]
    everything_else = Caller.of(partner, scopes=others)
    nobody = Caller(partner, only.key, "", "")
    other_mode = Caller.of(partner, livemode=False)
    assert call(nobody, method, route, world).status_code == 401
    assert call(everything_else, method, route, world).json()["required_scope"] == scope
    assert call(rival, method, route, world).status_code == foreign
    assert call(other_mode, method, route, world).status_code == foreign
    assert call(only, method, route, world).status_code == own


@pytest.mark.parametrize("route", sorted({row[1] for row in ROUTES}))
def test_lists_of_others_are_empty(rival, world, route):
    answer = rival.send("GET", "/" + route.format(**world))
    if answer.status_code == 200:
        assert answer.json()["data"] == []


@pytest.mark.parametrize(("method", "route", "status"), OPEN_ROUTES)
def test_open_routes(db, method, route, status):
    assert Client().generic(method, f"/api/v1/{route}").status_code == status


@pytest.mark.parametrize("method", METHODS)
def test_every_other_method_is_405_for_anyone_with_a_token(partner, world, method):
    weak = Caller.of(partner, scopes=[])
    known = {row[:2] for row in ROUTES}
    for route in sorted({row[1] for row in ROUTES}):
        if (method, route) not in known:
            assert weak.send(method, "/" + route.format(**world)).status_code == 405, route


def test_reading_changes_nothing(caller, world):
    def counts():
        kept = [m for m in apps.get_models() if m._meta.managed and m.__name__ != "AccessToken"]
        return {model._meta.label: model.objects.count() for model in kept}

    before = counts()
    for method, route, *_ in ROUTES:
        if method == "GET":
            for verb in ("GET", "HEAD"):
                caller.send(verb, "/" + route.format(**world))
    assert counts() == before


def test_secrets_open_only_the_token_doors(caller):
    for route in ("claims", "benefits", "members"):
        headers = {"Authorization": basic(caller.key.public_id, caller.secret)}
        answer = Client().get(f"/api/v1/{route}", headers=headers)
        assert answer.json()["code"] == "token_missing"


def test_lists_cost_few_queries(caller, partner, world, django_assert_max_num_queries):
    for number in range(5):
        introduce_member(partner=partner, member=make_member(), external_id=f"n-{number}")
    for route in ("claims", "benefits"):
        with django_assert_max_num_queries(9):
            assert caller.get(f"/{route}").status_code == 200
