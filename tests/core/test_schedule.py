"""The tables of periodic work name what exists, once."""

import inspect

import pytest
from django.utils.module_loading import import_string

from zone import schedule
from zone.celery import app


@pytest.fixture(scope="module", autouse=True)
def tasks():
    app.loader.import_default_modules()
    return app.tasks


@pytest.mark.parametrize("entry", schedule.BEAT_SCHEDULE.values(), ids=lambda entry: entry["task"])
def test_beat_rings_tasks_that_exist(tasks, entry):
    assert entry["task"] in tasks


@pytest.mark.parametrize(
    "name", [*schedule.MEMBER_ARRIVAL_TASKS, *schedule.BINDING_TASKS, *schedule.ERASURE_TASKS]
)
def test_what_an_event_rings_exists(tasks, name):
    assert name in tasks


@pytest.mark.parametrize("path", schedule.DRAINS)
def test_drains_are_called_without_arguments(path):
    inspect.signature(import_string(path)).bind()


def test_no_drain_is_named_twice():
    assert len(set(schedule.DRAINS)) == len(schedule.DRAINS)


def test_each_room_that_forgets_is_rung():
    assert len(schedule.ERASURE_ROOMS) == len(schedule.ERASURE_TASKS)
