"""Keys become tokens, tokens end; only these two doors speak RFC 6749."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from tests.api.caller import Caller, basic
from zone.core import clock
from zone.partners.models import AccessToken, PartnerKey
from zone.partners.services.keys import revoke_key

FORM = "application/x-www-form-urlencoded"


def ask(key_id, secret, body="grant_type=client_credentials", door="token", **headers):
    return Client().post(
        f"/api/v1/oauth/{door}",
        body,
        content_type=FORM,
        headers={"Authorization": basic(key_id, secret), **headers},
    )


def test_a_key_gets_a_token_with_all_its_scopes(caller):
    answer = ask(caller.key.public_id, caller.secret)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 900
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["scope"].split() == caller.key.scopes
    assert answer.json()["access_token"].startswith("zat_live_")
    assert answer["Cache-Control"] == "no-store"


def test_a_token_may_have_fewer_scopes(partner):
    caller = Caller.of(partner, scopes=["claims:read", "benefits:read"])
    body = "grant_type=client_credentials&scope=benefits%3Aread"
    assert ask(caller.key.public_id, caller.secret, body).json()["scope"] == "benefits:read"


def test_neither_secret_nor_token_is_stored(caller):
    token = ask(caller.key.public_id, caller.secret).json()["access_token"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM partners_partnerkey k")
        rows = str(cursor.fetchall())
        cursor.execute("SELECT row_to_json(t)::text FROM partners_accesstoken t")
        rows += str(cursor.fetchall())
    assert caller.secret not in rows
    assert token not in rows


REFUSALS = [
    ("no grant type", "other=1", 400, "invalid_request"),
    ("other grant", "grant_type=password", 400, "unsupported_grant_type"),
    ("wider scope", "grant_type=client_credentials&scope=events:read", 400, "invalid_scope"),
    ("repeated", "grant_type=a&grant_type=b", 400, "invalid_request"),
    (
        "secret in form",
        "grant_type=client_credentials&client_secret=x",
        400,
        "invalid_request",
    ),
]


@pytest.mark.parametrize(("label", "body", "status", "error"), REFUSALS)
def test_token_refusals(partner, label, body, status, error):
    caller = Caller.of(partner, scopes=["claims:read"])
    answer = ask(caller.key.public_id, caller.secret, body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert AccessToken.objects.count() == 1  # The caller's own, from before.


def test_a_wrong_secret_and_an_unknown_key_look_the_same(caller):
    wrong = ask(caller.key.public_id, caller.secret[:-1] + "x")
    unknown = ask("key_00000000000000000000000000", caller.secret)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("credentials", ["", "Basic", "Basic !!!", "Basic Og==", "Bearer x"])
def test_unreadable_credentials_are_invalid_client(db, credentials):
    answer = Client().post(
        "/api/v1/oauth/token",
        "grant_type=client_credentials",
        content_type=FORM,
        headers={"Authorization": credentials},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_revoked_token_stops_at_once_and_twice_is_fine(caller):
    assert caller.get("/openapi.json").status_code == 200
    for _ in range(2):
        assert (
            ask(caller.key.public_id, caller.secret, f"token={caller.token}", "revoke").status_code
            == 200
        )
    assert AccessToken.objects.get().revoked_at is not None


def test_a_foreign_token_is_not_revoked(caller, rival):
    answer = ask(rival.key.public_id, rival.secret, f"token={caller.token}", "revoke")
    assert answer.status_code == 200
    assert AccessToken.objects.filter(key=caller.key, revoked_at=None).count() == 1


def test_ended_and_revoked_keys_get_no_token(caller):
    PartnerKey.objects.update(ends_at=clock.database_now() - timedelta(seconds=1))
    assert ask(caller.key.public_id, caller.secret).json()["error"] == "invalid_client"
    PartnerKey.objects.update(ends_at=None)
    assert revoke_key(key=caller.key, actor="operator:ann") is True
    assert revoke_key(key=caller.key, actor="operator:ann") is False
    assert ask(caller.key.public_id, caller.secret).json()["error"] == "invalid_client"


def test_the_31st_request_in_a_minute_waits(caller):
    for _ in range(30):
        assert ask(caller.key.public_id, caller.secret).status_code == 200
    answer = ask(caller.key.public_id, caller.secret)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert answer.json()["violated_policies"] == ["token"]
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_forms_only(caller):
    answer = caller.send("POST", "/oauth/token", b"{}", "application/json")
    assert answer.status_code == 401  # A bearer token is no key.
    answer = Client().post(
        "/api/v1/oauth/token",
        "{}",
        content_type="application/json",
        headers={"Authorization": basic(caller.key.public_id, caller.secret)},
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
