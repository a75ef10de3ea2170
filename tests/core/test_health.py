"""Alive is not ready: what each answers, and what it says is missing."""

import time
from collections import namedtuple

import pytest
import redis
from django.db import connection

from tests.stack import free_port
from zone.core import health, heartbeat
from zone.core.health import Readiness, TimedCheck

READY = {"status": "ready", "faults": [], "degraded": []}


@pytest.fixture
def fresh(monkeypatch):
    """Readiness that is looked at now, not two seconds ago."""
    health.expected_migrations()  # Read once a process: on a busy machine that takes a second.
    heartbeat.give_heartbeat()
    monkeypatch.setattr(health, "_cache", TimedCheck(health.check))


BUSY_SECONDS = 4


def ask(client):
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_a_node_with_everything_is_ready(cloned_database, client, fresh):
    assert ask(client) == (200, READY)


def test_alive_asks_the_database_nothing(client):
    answer = client.get("/healthz")  # Without the `db` fixture any query would raise.

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_a_missing_migration_is_named(cloned_database, client, fresh):
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("DELETE FROM django_migrations WHERE app = 'core'")

    assert ask(client) == (503, {**READY, "status": "not ready", "faults": ["migrations"]})


def test_an_empty_database_is_not_ready(cloned_database, client, fresh):
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("DROP TABLE django_migrations")

    assert ask(client)[1]["faults"] == ["migrations"]


def test_a_migration_of_newer_code_does_no_harm(cloned_database, client, fresh):
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('core', '9999_new', now())"
        )

    assert ask(client) == (200, READY)


def test_no_database_is_not_ready_and_is_told_soon(cloned_database, client, fresh, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", str(free_port()))

    began = time.monotonic()
    status, answer = ask(client)

    assert (status, answer["faults"]) == (503, ["database"])
    # A second is the promise; the rest is room for a busy test machine. A hang takes far longer.
    assert time.monotonic() - began < 1 + BUSY_SECONDS


def test_a_standby_takes_no_writes(cloned_database, client, fresh, monkeypatch):
    facts = health._FACTS.replace("pg_is_in_recovery()", "true")
    monkeypatch.setattr(health, "_FACTS", facts)

    assert ask(client)[1]["faults"] == ["recovery"]


@pytest.mark.parametrize("seconds", [-3, 3])
def test_clocks_that_differ_are_a_fault(cloned_database, client, fresh, monkeypatch, seconds):
    facts = health._FACTS.replace(
        "clock_timestamp()", f"clock_timestamp() + interval '{seconds} seconds'"
    )
    monkeypatch.setattr(health, "_FACTS", facts)

    assert ask(client)[1]["faults"] == ["clock"]


def test_a_full_disk_is_a_fault(cloned_database, client, fresh, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda path: usage(10, 9, 1024))

    assert ask(client)[1]["faults"] == ["disk"]


def test_an_operator_can_take_a_node_out(cloned_database, client, fresh, settings, tmp_path):
    settings.ZONE_DATA = tmp_path
    (tmp_path / "draining").touch()

    assert ask(client)[1]["faults"] == ["draining"]


def test_without_redis_a_node_stays_ready(cloned_database, client, fresh, settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    assert ask(client) == (200, {**READY, "degraded": ["redis"]})


def test_workers_that_finish_nothing_are_told(
    cloned_database, client, fresh, settings, monkeypatch
):
    later = time.time() + 61
    monkeypatch.setattr(heartbeat.time, "time", lambda: later)

    assert ask(client) == (200, {**READY, "degraded": ["workers"]})


def test_a_redis_that_is_full_counts_as_away(
    cloned_database, client, fresh, settings, private_redis
):
    settings.REDIS_URL = private_redis.url
    with redis.Redis(port=private_redis.port) as server:
        server.config_set("maxmemory", 1)

    assert ask(client) == (200, {**READY, "degraded": ["redis"]})


def test_a_worker_and_beat_give_the_heartbeat(live_stack, private_redis, settings):
    settings.REDIS_URL = private_redis.url
    assert heartbeat.find_silence() is None
    stack = live_stack(web=False, worker=True, beat=True, redis=private_redis)

    stack.wait_for(lambda: heartbeat.find_silence() is not None, "worker")

    assert heartbeat.find_silence() < heartbeat.SILENT_SECONDS_MAX


def test_a_check_that_hangs_is_cut_off_after_a_second():
    hanging = TimedCheck(lambda: time.sleep(3) or Readiness())

    began = time.monotonic()

    assert hanging.get().faults == ["database"]
    assert time.monotonic() - began < 1.3


def test_an_answer_is_kept_for_two_seconds():
    looks = []
    timed = TimedCheck(lambda: looks.append(1) or Readiness())

    for _ in range(5):
        assert timed.get().is_ready

    assert len(looks) == 1
