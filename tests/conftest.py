"""The cast, always the same people (alice and bob are bound, carol is not), and their stage."""

import logging
import os
import shutil
from contextlib import ExitStack
from io import StringIO

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.core.management import call_command
from django.test import override_settings

from tests import databases
from tests.factories import bind, make_member

pytest_plugins = ["tests.stack", "tests.chromium"]
PROCESSES_MAX = 4
admin.autodiscover()  # As a web process has it; what a worker has is asked of a process of its own.
MAIN: list[databases.Database] = []  # The database of all tests that roll back, once one asked.


def pytest_xdist_auto_num_workers() -> int:
    """For `make test`: a process a core, each on private servers. A server given is used by one."""
    if os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"):
        return 0
    return min(PROCESSES_MAX, len(os.sched_getaffinity(0)))


def pytest_collection_modifyitems(items):
    """Files with slow tests first: one that begins last would run while the other cores idle."""
    long = {item.path for item in items if is_long(item)}
    items.sort(key=lambda item: item.path not in long)  # Within both, as they were.


def is_long(item) -> bool:
    return any(item.get_closest_marker(name) for name in ("slow", "browser"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    """One database for the tests that roll back: a copy of the template, used as the app role."""
    with ExitStack() as stack:
        # Only for this: a test that did not ask for `db` would write here for good.
        with django_db_blocker.unblock():
            database = stack.enter_context(databases.copy("main"))
            stack.enter_context(databases.in_use(database, pool=True))
        MAIN.append(database)
        yield
        MAIN.clear()


@pytest.fixture(scope="module", autouse=True)
def nothing_stays_behind():
    """Tests that roll back share one database: what a file commits to it would fail another file."""
    yield
    if MAIN:
        (database,) = MAIN
        with database.connect(as_owner=True) as plain:
            members, benefits = plain.execute(
                "SELECT (SELECT count(*) FROM members_member), (SELECT count(*) FROM benefits_benefit)"
            ).fetchone()
        assert (members, benefits) == (0, 0), "this file left rows in the database of all tests"


@pytest.fixture
def cloned_database(django_db_blocker):
    """A database of this test's own, for real threads and processes; it commits for good.

    Not together with `db`. Threads close their connection when done (`tests.threads.together`
    does); child processes take `cloned_database.env`.
    """
    with (
        django_db_blocker.unblock(),
        databases.copy() as database,
        databases.in_use(database, pool=False),
    ):
        yield database


@pytest.fixture(scope="session")
def seeded(django_db_blocker, tmp_path_factory):
    """A small Zone with people in it, made once a process, and the folder that goes with it."""
    folder = tmp_path_factory.mktemp("seeded")
    with django_db_blocker.unblock(), databases.copy("seeded") as database:
        with (
            databases.in_use(database, pool=False),
            override_settings(ZONE_DATA=folder, MEDIA_ROOT=folder / "media"),
        ):
            call_command("seed_zone", scale=0.02, stdout=StringIO())
        yield database, folder


@pytest.fixture
def seeded_database(seeded, django_db_blocker, settings, tmp_path):
    """As `cloned_database`, but a copy of the seeded Zone, with its pictures."""
    source, folder = seeded
    settings.ZONE_DATA = shutil.copytree(folder, tmp_path / "zone")
    settings.MEDIA_ROOT = settings.ZONE_DATA / "media"
    with (
        django_db_blocker.unblock(),
        databases.copy(source=source.name) as database,
        databases.in_use(database, pool=False),
    ):
        yield database


class _Stuck(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.rows = []

    def emit(self, record):
        self.rows.append(record)


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    """A board or a count that was kept half a minute ago was another test's."""
    cache.clear()


@pytest.fixture(autouse=True)
def nothing_gets_stuck(request):
    """Drains go on past a row that fails; a test does not, unless it is about that."""
    handler = _Stuck()
    logger = logging.getLogger("zone.core.stuck")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    if handler.rows and not request.node.get_closest_marker("stuck"):
        said = logging.Formatter().format(handler.rows[0])
        pytest.fail(f"{handler.rows[0].work} {handler.rows[0].row}: {said}")


@pytest.fixture
def alice(db):
    member = make_member()
    bind(member)
    return member


@pytest.fixture
def bob(db):
    member = make_member()
    bind(member)
    return member


@pytest.fixture
def carol(db):
    return make_member()
