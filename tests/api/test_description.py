"""The OpenAPI description: valid, complete, and the same thing the server does."""

import json

import pytest
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.test_routes import known_routes
from zone.core.errors import ZoneError
from zone.partners.catalogue import PROBLEMS
from zone.partners.scopes import SCOPES


@pytest.fixture
def document(db):
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(document):
    for path, verbs in document["paths"].items():
        for method, verb in verbs.items():
            yield method.upper(), path, verb


def test_it_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_it_says_who_we_are(document):
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
    assert document["info"]["version"] == "2026-11-01"
    assert document["servers"] == [{"url": "http://127.0.0.1:8000"}]


def test_every_route_is_described_and_nothing_else(document):
    described = {
        (method, path.removeprefix("/api/v1/").replace("_id}", "}"))
        for method, path, _ in operations(document)
    }
    assert described == known_routes()


def test_every_operation_is_complete(document):
    names, tags = set(), {tag["name"] for tag in document["tags"]}
    for method, path, verb in operations(document):
        where = f"{method} {path}"
        assert verb["summary"], where
        assert set(verb["tags"]) <= tags, where
        assert verb["operationId"] not in names, where
        names.add(verb["operationId"])
        statuses = set(verb["responses"])
        assert {"404", "405", "406", "500", "503"} <= statuses, where
        for status, answer in verb["responses"].items():
            if status >= "400" and "oauth" not in path:
                reference = answer["content"]["application/problem+json"]["schema"]["$ref"]
                assert reference == "#/components/schemas/Problem", where
        for security in verb["security"]:
            assert set(security.get("token", [])) <= set(SCOPES), where
        if verb["security"] and "token" in verb["security"][0]:
            assert {"401", "403", "429"} <= statuses, where
        if method == "POST" and "oauth" not in path:
            names_of = [parameter["name"] for parameter in verb["parameters"]]
            assert "Idempotency-Key" in names_of or path.endswith(("/eligibility", "/validate")), (
                where
            )


def test_nothing_is_left_of_openapi_3_0(document):
    assert "nullable" not in json.dumps(document)


def test_lists_have_bounds(document):
    for _, path, verb in operations(document):
        for parameter in verb["parameters"]:
            if parameter["name"] == "limit":
                assert parameter["schema"]["minimum"] == 1, path
                assert parameter["schema"]["maximum"] == 100, path


def test_every_code_has_a_page(client, db):
    listing = client.get("/problems").content.decode()
    for code, problem in PROBLEMS.items():
        page = client.get(f"/problems/{code}")
        assert page.status_code == 200
        assert code in page.content.decode()
        assert f"HTTP {problem.status}" in page.content.decode()
        assert f"/problems/{code}" in listing
    assert client.get("/problems/no_such_code").status_code == 404


def all_refusals(base=ZoneError):
    for child in base.__subclasses__():
        yield child
        yield from all_refusals(child)


def test_the_apis_own_refusals_answer_with_the_catalogues_status():
    own = [each for each in all_refusals() if each.__module__ == "zone.partners.errors"]
    for refusal in own:
        if refusal.__name__ != "ApiError":
            assert refusal.http_status == PROBLEMS[refusal.code].status, refusal
            assert refusal.is_retryable == PROBLEMS[refusal.code].is_retryable, refusal
