"""The cast, always the same people (alice and bob are bound, carol is not), and their stage."""

import pytest

from tests import databases
from tests.factories import bind, make_member

pytest_plugins = ["tests.stack", "tests.chromium"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    """One database for the tests that roll back: a copy of the template, used as the app role."""
    with (
        django_db_blocker.unblock(),
        databases.copy("main") as database,
        databases.in_use(database, pool=True),
    ):
        yield


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
