"""Workers that are told to stop with grants in flight, and workers that drain side by side."""

import subprocess
import sys

import httpx
import pytest
from django.conf import settings

from benefits.models import Claim
from tests.benefits.factories import claim
from tests.core.test_nudge import make_bell
from tests.faults.test_grant_faults import (
    assert_books_are_sound,
    make_priced_trial,
    make_rich_members,
    orders,
)
from tests.races.test_claim_races import replaced_function

pytestmark = pytest.mark.slow
IN_FLIGHT = 60
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


def test_a_rolling_restart_finishes_what_it_began_and_loses_nothing(
    cloned_database, live_stack, private_redis
):
    release = make_priced_trial(stock=IN_FLIGHT)
    members = make_rich_members(IN_FLIGHT)
    stack = live_stack(web=False, issuer=True, worker=True, redis=private_redis)
    slow_down(stack, 1500)
    for member in members:
        claim(member, release)
    bell = make_bell(private_redis.url)
    bell.ring("benefits.tasks.drain_grants")
    assert bell.flush(5)
    asked = Claim.objects.filter(state="reserved", lease_until__isnull=False)
    stack.wait_for(asked.exists, "worker")
    assert granted() == 0, "calls must be in flight when the worker is told to stop"
    old = stack.processes.pop("worker")
    old.terminate()
    stack.start_worker_without_waiting()
    stack.start_beat()
    assert old.wait(60) == 0, stack.log("worker")
    assert not asked.filter(attempts__gt=1).exists(), "nobody asks about what the old one asked for"
    assert granted() >= 48, "what it had begun, it finished"
    stack.wait_for(lambda: granted() == IN_FLIGHT, "worker")
    claims = assert_each_once(stack, cloned_database, IN_FLIGHT)
    assert max(made.attempts for made in claims) == 1


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
