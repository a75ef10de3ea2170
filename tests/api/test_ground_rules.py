"""The rules that hold for every call: order of checks, strict input, one shape of no."""

import json

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.api.caller import Caller
from zone.partners import limiter
from zone.partners.models import AccessToken, Partner, PartnerKey
from zone.partners.services.keys import revoke_key


def test_every_answer_carries_the_headers(caller):
    answer = caller.get("/claims")
    assert answer["Request-Id"].startswith("req_")
    assert answer["Zone-Version"] == "2026-11-01"
    assert answer["Cache-Control"] == "no-store"
    assert answer["RateLimit-Policy"] == '"default";q=1200;w=60'
    assert answer["RateLimit"].startswith('"default";r=1199;t=')
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies


def test_a_refusal_has_one_shape(caller):
    answer = caller.get("/members/mbr_x")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "http://127.0.0.1:8000/problems/not_found",
        "title": "Not found",
        "status": 404,
        "code": "not_found",
        "detail": "We could not find that.",
        "request_id": answer["Request-Id"],
        "retryable": False,
    }


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing", "/api/v1/claims/", "/api/v1", "/api/v2/claims", "/api", "/api/v1/%0A"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "TRACE", "OPTIONS"])
def test_an_unknown_path_is_404_before_anything_else(db, path, method):
    answer = Client().generic(method, path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_first_failing_check_decides(partner):
    """Each call breaks every later rule as well; the answer names the earliest."""
    weak = Caller.of(partner, scopes=["benefits:read"])
    strong = Caller.of(partner)
    nobody = Caller(partner, strong.key, "", "nonsense")
    html = {"Accept": "text/html"}
    bad = ("/claims?x=1", b"\xff", "text/plain")
    for who, method, headers, expected in [
        (nobody, "POST", html, (406, "not_acceptable")),
        (nobody, "POST", {}, (401, "token_invalid")),
        (weak, "POST", {}, (403, "insufficient_scope")),
        (weak, "PUT", {}, (405, "method_not_allowed")),
        (strong, "POST", {}, (415, "unsupported_media_type")),
    ]:
        answer = who.send(method, *bad, **headers)
        assert (answer.status_code, answer.json()["code"]) == expected
    for path, raw, kind, expected in [
        ("/claims?x=1", b" " * (1024 * 1024 + 1), "text/plain", (413, "body_too_large")),
        ("/claims?x=1", b"{", "application/json", (400, "malformed_json")),
        ("/claims?x=1", b"{}", "application/json", (400, "unknown_parameter")),
        ("/claims", b"{}", "application/json", (400, "idempotency_key_required")),
    ]:
        answer = strong.send("POST", path, raw, kind)
        assert (answer.status_code, answer.json()["code"]) == expected
    answer = strong.send("POST", "/claims", b"{}", "application/json", Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_405_lists_the_methods(caller):
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]:
        answer = caller.send(method, "/claims")
        assert (answer.status_code, answer["Allow"]) == (405, "GET, POST, HEAD")


def test_head_is_get_without_its_body(caller):
    answer = caller.send("HEAD", "/claims")
    assert (answer.status_code, answer.content) == (200, b"")


MALFORMED = [
    ("empty object twice", b"{}{}"),
    ("not UTF-8", b'{"a":"\xff"}'),
    ("UTF-16", '{"a":1}'.encode("utf-16")),
    ("byte order mark", b'\xef\xbb\xbf{"a":1}'),
    ("repeated member", b'{"member":"a","member":"b"}'),
    ("repeated member deep down", b'{"metadata":{"a":"1","a":"2"}}'),
    ("NaN", b'{"a":NaN}'),
    ("infinity", b'{"a":-Infinity}'),
    ("comment", b'{"a":1/**/}'),
    ("trailing comma", b'{"a":1,}'),
    ("single quotes", b"{'a':1}"),
    ("nine levels", b"[" * 9 + b"]" * 9),
    ("a thousand levels", b"[" * 1000 + b"]" * 1000),
    ("half a million open brackets", b"[" * 500_000),
    ("objects nine levels deep", b'{"a":' * 9 + b"1" + b"}" * 9),
    ("an integer of 5000 digits", b'{"a":' + b"9" * 5000 + b"}"),
]


@pytest.mark.parametrize(("label", "raw"), MALFORMED, ids=[label for label, _ in MALFORMED])
def test_what_is_not_one_plain_json_value_is_400(caller, label, raw):
    answer = caller.send("POST", "/claims", raw, "application/json", Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


SHAPES = [
    ("not an object", "[]", [("", "invalid")]),
    ("null", "null", [("", "null")]),
    ("unknown member", '{"mebmer":1}', [("/mebmer", "unknown_member")]),
    ("odd unknown name", '{"a/b~c":1}', [("/a~1b~0c", "unknown_member")]),
    ("lone surrogate name", '{"\\ud800":1}', [("/\ud800", "unknown_member")]),
    ("mass assignment", '{"status":"granted"}', [("/status", "unknown_member")]),
    ("number for string", '{"member":1}', [("/member", "invalid")]),
    ("NUL in reference", '{"external_id":"a\\u0000"}', [("/external_id", "invalid")]),
    ("newline at the end", '{"external_id":"a\\n"}', [("/external_id", "invalid")]),
    ("65 letters", json.dumps({"external_id": "a" * 65}), [("/external_id", "invalid")]),
    ("text for boolean", '{"pay_with_credits":"true"}', [("/pay_with_credits", "invalid")]),
    ("one for boolean", '{"pay_with_credits":1}', [("/pay_with_credits", "invalid")]),
    ("metadata of numbers", '{"metadata":{"a":1}}', [("/metadata/a", "not_text")]),
    ("metadata with NUL", '{"metadata":{"a":"\\u0000"}}', [("/metadata/a", "control")]),
    ("null metadata", '{"metadata":null}', [("/metadata", "null")]),
    (
        "21 pairs",
        json.dumps({"metadata": {str(n): "" for n in range(21)}}),
        [("/metadata", "too_many")],
    ),
]


@pytest.mark.parametrize(("label", "raw", "errors"), SHAPES, ids=[row[0] for row in SHAPES])
def test_shape_errors_point_at_the_member(caller, label, raw, errors):
    answer = caller.send("POST", "/claims", raw, "application/json", Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    found = {(row["pointer"], row["code"]) for row in answer.json()["errors"]}
    assert set(errors) <= found


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("text/plain", {}),
        ("application/json; charset=latin-1", {}),
        ("application/json-patch+json", {}),
        ("application/json", {"Content_Encoding": "gzip"}),
    ],
)
def test_other_types_are_415(caller, kind, headers):
    answer = caller.send("POST", "/claims", b"{}", kind, Idempotency_Key="k", **headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_limit"),
        ("limit=101", "invalid_limit"),
        ("limit=%2B5", "invalid_limit"),
        ("limit=05", "invalid_limit"),
        ("limit=null", "invalid_limit"),
        ("limit=", "invalid_limit"),
        ("limit=%D9%A1", "invalid_limit"),
        ("limit=1&limit=1", "invalid_parameter"),
        ("cursor=", "invalid_cursor"),
        ("cursor=abc", "invalid_cursor"),
        ("cursor=%00", "invalid_cursor"),
        ("status=unknown", "invalid_parameter"),
        ("member=%00", "invalid_parameter"),
        ("created_after=yesterday", "invalid_parameter"),
        ("created_after=2026-02-30T00:00:00Z", "invalid_parameter"),
        ("created_after=2026-11-20T09:41:07%2B08:00", "invalid_parameter"),
        ("format=json", "unknown_parameter"),
        ("Limit=1", "unknown_parameter"),
    ],
)
def test_queries_are_read_strictly(caller, query, code):
    answer = caller.get(f"/claims?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("key", ["", " ", "a b", "a" * 256, "schlüssel", "a\tb"])
def test_malformed_keys(caller, key):
    answer = caller.send("POST", "/claims", b"{}", "application/json", Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


def test_versions(caller):
    assert caller.get("/claims", Zone_Version="2026-11-01").status_code == 200
    answer = caller.get("/claims", Zone_Version="2020-01-01")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_version")


@pytest.mark.parametrize(
    ("language", "detail"),
    [("en", "This call needs a bearer token."), ("xx", "This call needs a bearer token.")],
)
def test_language_never_changes_the_code(db, language, detail):
    answer = Client().get("/api/v1/claims", headers={"Accept-Language": language})
    assert (answer.json()["code"], answer.json()["detail"]) == ("token_missing", detail)


# --- Who is asking ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "token_missing"),
        ("Basic abc", "token_missing"),
        ("Bearer", "token_invalid"),
        ("Bearer  ", "token_invalid"),
        ("Bearer zat_live_" + "a" * 38, "token_invalid"),
        ("Bearer " + "é" * 50, "token_invalid"),
    ],
)
def test_bad_credentials(db, header, code):
    answer = Client().get("/api/v1/claims", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer["WWW-Authenticate"].startswith("Bearer ")


def test_a_key_secret_is_no_token(caller):
    answer = Client().get("/api/v1/claims", headers={"Authorization": f"Bearer {caller.secret}"})
    assert answer.json()["code"] == "token_invalid"


def test_a_token_ends_after_its_seconds(caller):
    with connection.cursor() as cursor:
        cursor.execute("SET zone.clock_offset = '899 seconds'")
        assert caller.get("/claims").status_code == 200
        cursor.execute("SET zone.clock_offset = '901 seconds'")
        answer = caller.get("/claims")
        cursor.execute("RESET zone.clock_offset")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


def test_revoking_token_or_key_acts_at_once(caller, partner):
    AccessToken.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert caller.get("/claims").json()["code"] == "token_invalid"
    other = Caller.of(partner)
    assert other.get("/claims").status_code == 200
    revoke_key(key=other.key, actor="operator:ann")
    assert other.get("/claims").json()["code"] == "token_invalid"


def test_two_keys_live_side_by_side(caller, partner):
    newer = Caller.of(partner)
    assert caller.get("/claims").status_code == newer.get("/claims").status_code == 200
    revoke_key(key=caller.key, actor="operator:ann")
    assert (caller.get("/claims").status_code, newer.get("/claims").status_code) == (401, 200)


def test_a_suspended_partner_is_told_so(caller):
    Partner.objects.update(status=Partner.Status.SUSPENDED)
    answer = caller.get("/claims")
    assert (answer.status_code, answer.json()["code"]) == (403, "partner_suspended")


@pytest.mark.parametrize(
    ("networks", "status"),
    [
        (["127.0.0.0/8"], 200),
        (["10.0.0.0/8", "127.0.0.1/32"], 200),
        (["10.0.0.0/8"], 403),
        (["::1/128"], 403),
    ],
)
def test_source_networks(caller, networks, status):
    PartnerKey.objects.update(networks=networks)
    answer = caller.get("/claims", X_Forwarded_For="10.0.0.1")
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "source_not_allowed"


def test_behind_our_proxy_the_proxys_word_counts(caller, settings):
    settings.AXES_IPWARE_PROXY_COUNT = 1
    PartnerKey.objects.update(networks=["10.0.0.0/8"])
    assert caller.get("/claims", X_Forwarded_For="10.0.0.1").status_code == 200
    assert caller.get("/claims", X_Forwarded_For="10.0.0.1, 192.0.2.1").status_code == 403


def test_a_missing_scope_is_named(partner):
    answer = Caller.of(partner, scopes=["benefits:read"]).get("/claims")
    assert answer.json()["required_scope"] == "claims:read"
    assert 'scope="claims:read"' in answer["WWW-Authenticate"]
    assert answer["RateLimit"].startswith('"default";r=1199;t=')


def test_plain_http_is_refused_not_redirected(caller, settings):
    settings.IS_HTTPS = True
    answer = caller.get("/claims")
    assert (answer.status_code, answer.json()["code"]) == (403, "https_required")


def test_a_browser_session_means_nothing_here(client, caller):
    client.cookies["zone_operator"] = "a" * 32
    client.cookies["zone_member"] = "a" * 32
    answer = client.get("/api/v1/claims")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")


def test_a_foreign_host_is_answered_in_the_same_shape(caller):
    answer = caller.get("/claims", Host="evil.example")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_header")


# --- Faults -------------------------------------------------------------------------------------
def test_a_database_that_is_away_is_503(caller, monkeypatch):
    def away(*args, **options):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr("zone.partners.authentication.find_token", away)
    answer = caller.get("/claims")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer["Retry-After"]) >= 1
    assert "closed" not in answer.content.decode()


def test_a_fault_of_ours_shows_nothing_of_itself(caller, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("zone.partners.authentication.find_token", broken)
    answer = caller.get("/claims")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret detail" not in answer.content.decode()


# --- Limits -------------------------------------------------------------------------------------
def few(monkeypatch, quota):
    monkeypatch.setattr(limiter, "DEFAULT", limiter.Policy("default", quota, 60))


def test_the_quota_is_exact_and_says_how_long_to_wait(caller, monkeypatch):
    few(monkeypatch, 3)
    answers = [caller.get("/claims") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    last = answers[-1]
    assert last.json()["violated_policies"] == ["default"]
    left = int(last["RateLimit"].rpartition("t=")[2])
    assert 1 <= left <= int(last["Retry-After"]) <= 60
    assert last["RateLimit"].startswith('"default";r=0;')


def test_reads_do_not_use_up_writes(caller, monkeypatch):
    monkeypatch.setattr(limiter, "WRITES", limiter.Policy("writes", 1, 60))
    assert caller.get("/claims").status_code == 200
    assert caller.post("/claims", {}).status_code == 422
    answer = caller.post("/claims", {})
    assert answer.json()["violated_policies"] == ["writes"]
    assert caller.get("/claims").status_code == 200


def test_without_redis_the_limit_is_stricter_and_never_absent(caller, monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(limiter, "_breaker", limiter._Breaker())
    few(monkeypatch, 8)
    statuses = [caller.get("/claims").status_code for _ in range(8)]
    assert statuses == [200] * 4 + [429] * 4
