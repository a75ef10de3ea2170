"""Workers that are told to stop with grants in flight, and workers that drain side by side."""

import subprocess
import sys

import httpx
import pytest
from django.conf import settings

from benefits.models import Claim
from benefits.services.grants import drain_grants
from tests.benefits.factories import claim
from tests.core.test_nudge import make_bell
from tests.faults.test_grant_faults import (
    assert_books_are_sound,
    make_priced_trial,
    make_rich_members,
    orders,
)
from tests.races.test_claim_races import replaced_function
from zone.core.clock import database_now

pytestmark = pytest.mark.slow
IN_FLIGHT = 60
FEW = 4
CLAIMS = 200
DRAIN_AT_A_WORD = """
import sys, django
django.setup()
from django.db import connection
from benefits.services.grants import drain_grants
connection.ensure_connection()
print("ready", flush=True)
sys.stdin.readline()
print(drain_grants(), flush=True)
"""


def slow_down(stack, delay_ms):
    httpx.post(f"{stack.issuer_url}/control", json={"delay_ms": delay_ms}).raise_for_status()


def granted():
    return Claim.objects.filter(state="granted").count()


def assert_each_once(stack, database, number):
    claims = list(Claim.objects.prefetch_related("events"))
    assert [made.state for made in claims] == ["granted"] * number
    assert all(sum(event.cause == "grant" for event in made.events.all()) == 1 for made in claims)
    assert sorted(orders(stack)) == sorted(made.public_id for made in claims)
    assert_books_are_sound(database)
    return claims


def begun(**leased):
    """Claims that a worker has taken into its hands and not finished."""
    return Claim.objects.filter(state="reserved", lease_until__isnull=False, **leased)


def start_calls(live_stack, private_redis, number, **env):
    """A stack whose worker has just begun to ask a slow provider about `number` claims."""
    release = make_priced_trial(stock=number)
    members = make_rich_members(number)
    stack = live_stack(web=False, issuer=True, worker=True, redis=private_redis, **env)
    slow_down(stack, 1500)
    for member in members:
        claim(member, release)
    bell = make_bell(private_redis.url)
    bell.ring("benefits.tasks.drain_grants")
    assert bell.flush(5)
    stack.wait_for(begun().exists, "worker")
    assert granted() == 0, "calls must be in flight when the worker is told to stop"
    return stack


def test_a_rolling_restart_finishes_what_it_began_and_loses_nothing(
    cloned_database, live_stack, private_redis
):
    stack = start_calls(live_stack, private_redis, IN_FLIGHT)
    old = stack.processes.pop("worker")
    old.terminate()
    stack.start_worker_without_waiting()
    stack.start_beat()
    assert old.wait(60) == 0, stack.log("worker")
    assert not begun(attempts__gt=1).exists(), "nobody asks about what the old one asked for"
    assert granted() >= 48, "what it had begun, it finished"
    stack.wait_for(lambda: granted() == IN_FLIGHT, "worker")
    claims = assert_each_once(stack, cloned_database, IN_FLIGHT)
    assert max(made.attempts for made in claims) == 1


def test_control_a_worker_that_drops_everything_finishes_nothing_it_began(
    cloned_database, live_stack, private_redis, settings
):
    """The same signal, where Celery is told to end at once over it (`REMAP_SIGTERM`)."""
    stack = start_calls(live_stack, private_redis, FEW, REMAP_SIGTERM="SIGQUIT")
    old = stack.processes.pop("worker")
    old.terminate()
    old.wait(30)
    assert (granted(), begun().count()) == (0, FEW), "the control must see calls cut off"
    begun().update(lease_until=database_now())
    settings.SANDBOX_ISSUER_URL = stack.issuer_url
    drain_grants()
    claims = assert_each_once(stack, cloned_database, FEW)
    assert {made.attempts for made in claims} == {2}, "the control must see them asked about again"


def drain_together(stack, number=2):
    """How many claims each of several processes brought further, all let go at one moment."""
    drains = [
        subprocess.Popen(
            [sys.executable, "-c", DRAIN_AT_A_WORD],
            env=stack.env,
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(number)
    ]
    for drain in drains:
        assert drain.stdout.readline() == "ready\n"
    for drain in drains:
        drain.stdin.write("go\n")
        drain.stdin.flush()
    counts = [int(drain.communicate(timeout=60)[0]) for drain in drains]
    assert [drain.returncode for drain in drains] == [0] * number
    return counts


@pytest.fixture
def crowd(cloned_database, live_stack):
    release = make_priced_trial(stock=CLAIMS)
    for member in make_rich_members(CLAIMS):
        claim(member, release)
    stack = live_stack(web=False, issuer=True)
    slow_down(stack, 100)
    return stack


def test_two_drains_share_two_hundred_claims(cloned_database, crowd):
    counts = drain_together(crowd)
    assert sum(counts) == CLAIMS, "no claim is looked at twice"
    assert min(counts) >= CLAIMS // 10, f"both make progress: {counts}"
    claims = assert_each_once(crowd, cloned_database, CLAIMS)
    assert {made.attempts for made in claims} == {1}


def test_control_without_skipping_what_is_leased_claims_are_looked_at_twice(cloned_database, crowd):
    leased = "OR claim.lease_until <= moment.at AND claim.attempts < 2"
    with replaced_function(cloned_database, "benefits_lease_fairly", leased, "OR true"):
        counts = drain_together(crowd)
    assert sum(counts) > CLAIMS, "the control must see a claim in two hands"
    assert_each_once(crowd, cloned_database, CLAIMS)  # Key and commit keep what the lease spares.
