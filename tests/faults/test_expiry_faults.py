"""The sweep of month ends: killed, run twice, and beside members who spend at midnight."""

import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from functools import partial
from threading import Thread

import psycopg
import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from credits import ledger
from credits.queries import expiry_of, get_balance, list_entries
from credits.services.expiry import settle_expiry
from tests.credits.conftest import broken, rows, travel
from tests.factories import make_member
from tests.threads import together
from zone.core.ids import uuid7
from zone.notices.models import Notice

MARCH, MAY = date(2027, 3, 31), date(2027, 5, 31)
APRIL = timedelta(days=140)
SPENDS = 3  # by each member while the sweep runs


def _crowd(count):
    members = [make_member().pk for _ in range(count)]
    for member in members:
        ledger.earn(member_id=member, op_id=uuid7(), amount=10, until=MARCH)
        ledger.earn(member_id=member, op_id=uuid7(), amount=10, until=MAY)
    return members


def _expiries(members):
    return [[line.amount for line in list_entries(m) if line.amount == -10] for m in members]


def _spend(member):
    with travel(APRIL):
        return ledger.spend(member_id=member, op_id=uuid7(), amount=1).code


def _sweep():
    with travel(APRIL):
        settle_expiry(2)


def test_a_sweep_killed_between_commits_is_finished_by_the_next(cloned_database):
    members = _crowd(7)
    # The clock is a setting of the session: the child has its own.
    sweep = (
        "import django; django.setup(); from django.db import connection;"
        " from credits.services.expiry import settle_expiry;"
        f" connection.cursor().execute(\"SELECT set_config('zone.clock_offset', '{APRIL.days} days',"
        ' false)"); settle_expiry(3)'
    )
    env = {**os.environ, **cloned_database.env, "DJANGO_SETTINGS_MODULE": "zone.settings"}
    died = subprocess.run(
        [sys.executable, "-c", sweep],
        env={**env, "ZONE_FAILPOINT": "expiry_between_batches"},
        cwd=settings.BASE_DIR,
        timeout=120,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert sum(map(len, _expiries(members))) == 3
    assert broken() == []

    with travel(APRIL):
        assert (settle_expiry(3), settle_expiry(3)) == (4, 0)
    assert _expiries(members) == [[-10]] * 7
    assert broken() == []


def test_a_sweep_killed_inside_a_commit_leaves_nothing_of_it(cloned_database):
    members = _crowd(4)
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute(
            "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$;"
            "CREATE TRIGGER slow BEFORE INSERT ON ledger.entry"
            " FOR EACH ROW WHEN (NEW.kind = 7) EXECUTE FUNCTION public.slow()"
        )

        def run():
            with cloned_database.connect() as app:
                app.execute(f"SET zone.clock_offset = '{APRIL.days} days'")
                with pytest.raises(psycopg.OperationalError):
                    app.execute("SELECT ledger.expire_batch(100)")

        sweeper = Thread(target=run)
        sweeper.start()
        killed, until = [], time.monotonic() + 30
        while not killed and time.monotonic() < until:
            killed = owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                " AND datname = current_database() AND query LIKE '%expire_batch%'"
            ).fetchall()
        sweeper.join(30)
        assert killed
        owner.execute("DROP TRIGGER slow ON ledger.entry")
    assert _expiries(members) == [[]] * 4
    with travel(APRIL):
        assert settle_expiry() == 4
    assert _expiries(members) == [[-10]] * 4
    assert broken() == []


def test_two_beats_beside_spends_settle_once_and_keep_nobody_waiting(cloned_database):
    members = _crowd(6)
    jobs = [partial(_spend, member) for member in members for _ in range(SPENDS)]
    answers = together([*jobs, _sweep, _sweep, _sweep])
    _sweep()
    assert answers[: len(jobs)] == ["ok"] * len(jobs)
    assert _expiries(members) == [[-10]] * 6
    assert [get_balance(member).available for member in members] == [7] * 6
    assert broken() == []


def test_control_a_sweep_that_does_not_lock_what_it_read_ruins_the_books(cloned_database):
    """The naive sweep: it reads who is due, and writes what that looked like a moment ago."""
    members = _crowd(6)
    with cloned_database.connect(as_owner=True) as owner:
        [(definition,)] = owner.execute(
            "SELECT pg_get_functiondef('ledger.expire_batch'::regproc)"
        ).fetchall()
        assert definition.count("FOR NO KEY UPDATE OF a SKIP LOCKED") == 1
        naive = definition.replace("FOR NO KEY UPDATE OF a SKIP LOCKED", "")
        lapsed = "WHERE d.bucket_keys[1] < d.floor"
        assert naive.count(lapsed) == 1
        owner.execute(naive.replace(lapsed, f"{lapsed} AND pg_sleep(0.2)::text = ''"))
    jobs = [partial(_spend, member) for member in members for _ in range(SPENDS)]
    together([*jobs, _sweep, _sweep, _sweep])
    assert {"I2", "I3"} <= set(broken())


def _run_our_drains():
    for path in settings.ZONE_DRAINS:
        if path.startswith("credits."):
            import_string(path)()


def test_the_timer_without_redis_settles_and_tells(cloned_database):
    """What beat does for members' credits, the drains of a worker without Redis do too."""
    member = make_member().pk
    today = rows("SELECT (zone_now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0]
    ledger.earn(member_id=member, op_id=uuid7(), amount=30, until=today)
    with travel(timedelta(days=(expiry_of(_month_of(today)) - today).days)):
        _run_our_drains()
    [notice] = Notice.objects.filter(member_id=member, kind="credits_expiring")
    assert notice.facts["amount"] == 30
    with travel(timedelta(days=40)):
        _run_our_drains()
        assert [line.amount for line in list_entries(member)] == [-30, 30]
    assert broken() == []


def _month_of(day):
    return ((day.year - 2000) * 12 + day.month - 1) * 2
