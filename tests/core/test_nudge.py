"""A nudge wakes a worker when it can, and is never in the way when it cannot."""

import time

import pytest
from celery import Celery
from django.db import transaction

from tests.stack import free_port
from zone.core import drains
from zone.core import nudge as nudges
from zone.core.nudge import Bell, nudge

TASK = "tests.core.no_such_task"


def make_bell(url: str) -> Bell:
    """A bell with the product's publisher settings on another Redis."""
    app = Celery("test", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = url
    return Bell(app)


def _queue_length(private_redis) -> int:
    import redis

    with redis.Redis(port=private_redis.port) as client:
        return client.llen("celery")


def test_a_nudge_reaches_the_queue(private_redis):
    bell = make_bell(private_redis.url)

    bell.ring(TASK)

    assert bell.flush(5)
    assert _queue_length(private_redis) == 1


@pytest.mark.parametrize("state", ["dead", "silent"])
def test_a_nudge_never_waits_for_redis(private_redis, state, caplog):
    bell = make_bell(private_redis.url)
    private_redis.kill() if state == "dead" else private_redis.silence()

    began = time.monotonic()
    bell.ring(TASK)
    called = time.monotonic() - began
    assert bell.flush(3)
    rung = time.monotonic() - began

    assert called < 0.05
    assert rung < 1.5
    assert [record.message for record in caplog.records] == ["A nudge was lost"]


def test_after_a_failure_nudges_are_dropped_for_a_while(private_redis, caplog):
    bell = make_bell(f"redis://127.0.0.1:{free_port()}/0")
    bell.ring(TASK)
    assert bell.flush(3)

    bell.ring(TASK)

    assert bell.names == set()
    assert len(caplog.records) == 1


def test_a_nudge_waits_for_the_commit(cloned_database, private_redis, monkeypatch):
    bell = make_bell(private_redis.url)
    monkeypatch.setattr(nudges, "_bell", bell)
    with transaction.atomic():
        nudge(TASK)
        assert bell.flush(1)
        assert _queue_length(private_redis) == 0

    assert bell.flush(5)
    assert _queue_length(private_redis) == 1


def test_one_failing_drain_does_not_keep_the_others_from_running(
    settings, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("TEST_DRAIN_FILE", str(tmp_path / "marks"))
    settings.ZONE_DRAINS = ["tests.core.no.such_drain", "tests.core.drains.leave_a_mark"]

    drains.run_drains()

    assert (tmp_path / "marks").read_text() == "drained\n"
    assert [record.message for record in caplog.records] == ["A drain failed"]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before the worker starts", "while it runs"])
def test_workers_drain_by_themselves_while_redis_is_away(
    live_stack, private_redis, tmp_path, moment
):
    marks = tmp_path / "marks"
    if moment == "before the worker starts":
        private_redis.kill()
    stack = live_stack(
        web=False,
        redis=private_redis,
        TEST_DRAIN_FILE=str(marks),
        DJANGO_SETTINGS_MODULE="tests.core.drain_settings",
    )
    start = stack.start_worker if moment == "while it runs" else stack.start_worker_without_waiting
    start()
    if moment == "while it runs":
        assert not marks.exists()
        private_redis.kill()

    stack.wait_for(
        lambda: marks.exists() and marks.read_text().count("drained") >= 2, "worker", seconds=40
    )
    private_redis.start()
    stack.wait_for(lambda: "Redis is back" in stack.log("worker"), "worker", seconds=40)
