"""Connections out of the pool: cheap while they work, replaced when they do not."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from tests import databases
from zone.core.postgresql import base


@pytest.fixture
def pooled(django_db_blocker, monkeypatch):
    with (
        django_db_blocker.unblock(),
        databases.copy() as database,
        databases.in_use(database, pool=True),
    ):
        # One: the first request waits for a new pool, which may open a second one meanwhile, and
        # then the next request is given that one.
        monkeypatch.setitem(
            connection.settings_dict["OPTIONS"], "pool", {"min_size": 1, "max_size": 1}
        )
        yield database


@pytest.fixture
def asked(monkeypatch):
    """How often the server was asked for a sign of life."""
    calls = []
    ask = ConnectionPool.check_connection

    def counted(conn):
        calls.append(conn)
        ask(conn)

    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(counted))
    return calls


def one_request():
    """The session's process id, as a request that asks one thing would see it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    connection.close()
    return pid


def test_a_new_pool_is_open_before_a_second_thread_sees_it(pooled, monkeypatch):
    opening = ConnectionPool.open

    def slowly(pool, *how, **options):
        time.sleep(0.2)
        opening(pool, *how, **options)

    monkeypatch.setattr(ConnectionPool, "open", slowly)
    connection.close_pool()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(one_request)
        time.sleep(0.1)  # While the first one's pool is being opened.
        second = threads.submit(one_request)
        assert first.result()
        assert second.result()


def test_a_busy_connection_is_not_asked_for_a_sign_of_life(pooled, asked):
    sessions = {one_request() for _ in range(20)}
    assert len(asked) == len(sessions) == 1  # Once, when it was new.


def test_a_connection_that_lay_still_is_asked(pooled, asked, monkeypatch):
    one_request()
    monkeypatch.setattr(base, "STILL_SECONDS_MAX", -1.0)
    one_request()
    assert len(asked) == 2


@pytest.mark.parametrize("is_watched", [True, False], ids=["watched", "control"])
def test_a_session_that_the_server_ended_is_replaced_unnoticed(pooled, monkeypatch, is_watched):
    if not is_watched:
        monkeypatch.setattr(base, "check_connection", lambda conn: None)
        connection.close_pool()
    pid = one_request()
    with pooled.connect(as_owner=True) as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    if is_watched:
        assert one_request() != pid
    else:
        with pytest.raises(Exception, match=r"terminat|closed|lost"):
            one_request()


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2026, 11, 21, 18, 22, 28, 630123, tzinfo=UTC),
        datetime(2026, 11, 21, 18, 22, 28, 630000, tzinfo=UTC),
        datetime(2026, 11, 21, 18, 22, 28, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        None,
    ],
)
def test_instants_are_read_as_they_were_written(db, instant):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz, %s::timestamptz", [instant, instant])
        read = cursor.fetchone()
    assert read == (instant, instant)
    assert instant is None or all(value.utcoffset() == timedelta() for value in read)
