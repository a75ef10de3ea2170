"""Log lines are JSON, carry the request's id, and never carry a secret."""

import json
import logging
import sys

import pytest
from django.conf import settings

from zone.core.logs import HIDDEN, JsonFormatter, request_id

CANARY = "CANARY-7f3c9e51d2"


def line_for(message="said", *args, exc_info=None, **fields):
    record = logging.makeLogRecord(
        {"name": "zone.test", "levelname": "INFO", "msg": message, "args": args, **fields}
    )
    record.exc_info = exc_info
    return JsonFormatter().format(record)


def test_a_line_is_one_object_with_the_request_id():
    mark = request_id.set("req_1")
    try:
        line = json.loads(line_for("two\nlines", status=200))
    finally:
        request_id.reset(mark)

    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "zone.test",
        "message": "two\nlines",
        "request_id": "req_1",
        "status": 200,
    }


@pytest.mark.parametrize(
    "name",
    ["access_token", "client_secret", "password", "Authorization", "signature", "cookie", "code"],
)
def test_fields_with_telling_names_are_hidden(name):
    assert json.loads(line_for(**{name: CANARY}))[name] == HIDDEN


@pytest.mark.parametrize(
    "message",
    [
        f"Authorization: Bearer {CANARY}",
        f"Basic {CANARY}",
        f"connect to postgresql://zone:{CANARY}@db/zone failed",
        f"GET https://wallet.example/callback?code={CANARY}&state=1",
        f'{{"access_token": "{CANARY}"}}',
        f"set-cookie: zone_member_cookie={CANARY}",
        f"whsec_{CANARY}",
        f"client_secret={CANARY}",
    ],
)
def test_messages_lose_what_looks_like_a_secret(message):
    assert CANARY not in line_for(message)
    assert CANARY not in line_for("%s", message)
    assert CANARY not in line_for(about=message)
    assert CANARY not in line_for(about={"nested": message})


def test_exceptions_lose_it_too():
    try:
        raise ValueError(f"refused: password={CANARY}")
    except ValueError:
        line = line_for(exc_info=sys.exc_info())

    assert CANARY not in line
    assert "ValueError" in json.loads(line)["exception"]


def test_what_postgresql_quotes_of_a_row_is_left_out():
    said = (
        f'null value in "joined_at"\nDETAIL:  Failing row contains (2, {CANARY}, Wang).\nHINT: no'
    )
    try:
        raise ValueError(said)
    except ValueError:
        told = json.loads(line_for(exc_info=sys.exc_info()))["exception"]

    assert "Wang" not in told
    assert 'null value in "joined_at"' in told
    assert "HINT: no" in told


@pytest.mark.parametrize(
    "secret",
    [settings.SECRET_KEY, settings.ZONE_INDEX_KEY.hex(), settings.ZONE_KEYS[1].hex()],
    ids=["SECRET_KEY", "ZONE_INDEX_KEY", "ZONE_KEYS"],
)
def test_our_own_keys_never_appear(secret):
    assert secret not in line_for(f"it is {secret}, they say")


def test_a_request_leaves_one_line_without_its_address(client, db, caplog):
    with caplog.at_level(logging.INFO, logger="zone.access"):
        answer = client.get(f"/no-such-page/{CANARY}?token={CANARY}")

    lines = [record for record in caplog.records if record.name == "zone.access"]
    assert [(line.getMessage(), line.status) for line in lines] == [("GET (no such address)", 404)]
    assert answer["Request-Id"].startswith("req_")
    assert CANARY not in caplog.text


def test_a_caller_cannot_choose_the_request_id(client):
    answer = client.get("/healthz", headers={"Request-Id": CANARY, "X-Request-Id": CANARY})

    assert answer["Request-Id"] != CANARY
