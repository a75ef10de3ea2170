"""Messages that are lost, handed out twice, or refused by a full Redis: rows decide, not messages."""

import re
import signal
import time
from contextlib import contextmanager

import httpx
import pytest
import redis

from benefits.models import Claim
from tests.benefits.factories import claim
from tests.core.test_nudge import make_bell
from tests.faults.doors import Page
from tests.faults.test_grant_faults import (
    ANSWER_SECONDS_MAX,
    FINAL_SECONDS_MAX,
    assert_books_are_sound,
    make_priced_trial,
    make_rich_members,
    orders,
)
from tests.races.test_claim_races import replaced_function
from zone.core.clock import database_now

pytestmark = pytest.mark.slow
DRAIN = "benefits.tasks.drain_grants"
LEASED_BY_NOBODY = """(
                  claim.lease_until IS NULL
                  OR claim.lease_until <= moment.at AND claim.attempts < 2
              )"""


def ring(private_redis):
    bell = make_bell(private_redis.url)
    bell.ring(DRAIN)
    assert bell.flush(5)


def in_redis(private_redis):
    """How many messages wait and how many are out, unacknowledged."""
    with redis.Redis(port=private_redis.port) as client:
        return client.llen("celery"), client.hlen("unacked")


def is_granted(made):
    return Claim.objects.get(pk=made.pk).state == "granted"


def test_a_message_lost_on_its_way_into_a_worker_is_found_as_a_row(
    cloned_database, live_stack, private_redis
):
    release = make_priced_trial(stock=3)
    (alice,) = make_rich_members(1)
    stack = live_stack(web=False, issuer=True, redis=private_redis)
    made = claim(alice, release)
    ring(private_redis)
    assert in_redis(private_redis) == (1, 0)
    stack.start(
        "worker",
        *("-m", "celery", "-A", "tests.faults.lossy_worker", "worker", "--concurrency", "2"),
        ZONE_FAILPOINT="worker_after_pop",
    )
    assert stack.processes["worker"].wait(60) == -signal.SIGKILL, stack.log("worker")
    stack.kill("worker")
    made.refresh_from_db()
    assert (made.state, made.attempts, in_redis(private_redis)) == ("reserved", 0, (0, 0))

    stack.start_worker("tests.faults.brisk_worker")
    time.sleep(2.5)  # Its timer has come by twice, and found a Redis that works.
    assert not is_granted(made), "the message must really be gone: nothing else wakes this worker"
    stack.start_beat()
    stack.wait_for(lambda: is_granted(made), "worker", seconds=FINAL_SECONDS_MAX)
    assert orders(stack) == [made.public_id]
    assert_books_are_sound(cloned_database)


@contextmanager
def slow_grant(live_stack, private_redis):
    """A claim whose provider takes five seconds, and a Redis that waits two for a worker."""
    release = make_priced_trial(stock=3)
    release.provider.timeout_ms = 15_000
    release.provider.save(update_fields=["timeout_ms"])
    (alice,) = make_rich_members(1)
    stack = live_stack(
        web=False,
        issuer=True,
        worker=True,
        redis=private_redis,
        DJANGO_SETTINGS_MODULE="tests.faults.impatient_settings",
    )
    httpx.post(f"{stack.issuer_url}/control", json={"delay_ms": 5000}).raise_for_status()
    made = claim(alice, release)
    ring(private_redis)
    yield stack, made
    stack.wait_for(lambda: is_granted(made), "worker")
    stack.wait_for(lambda: in_redis(private_redis) == (0, 0), "worker")
    made.refresh_from_db()
    assert made.events.filter(cause="grant").count() == 1
    assert orders(stack) == [made.public_id]


def copies(stack):
    """The most often any one message was received."""
    received = re.findall(rf"{DRAIN}\[([0-9a-f-]+)\] received", stack.log("worker"))
    return max(map(received.count, received), default=0)


def test_a_second_copy_of_a_message_finds_the_claim_in_hand(
    cloned_database, live_stack, private_redis
):
    with slow_grant(live_stack, private_redis) as (stack, made):
        stack.wait_for(lambda: copies(stack) >= 2, "worker")
        assert not is_granted(made), "the first copy must still be running"
    assert made.attempts == 1
    assert_books_are_sound(cloned_database)


def test_control_without_the_lease_the_second_copy_orders_too_and_loses_at_the_commit(
    cloned_database, live_stack, private_redis
):
    with (
        replaced_function(cloned_database, "benefits_lease_fairly", LEASED_BY_NOBODY, "true"),
        slow_grant(live_stack, private_redis) as (stack, made),
    ):
        stack.wait_for(lambda: copies(stack) >= 2, "worker")
    assert made.attempts >= 2, "the control must see the provider asked by both"
    assert_books_are_sound(cloned_database)


@contextmanager
def filled(private_redis):
    """A Redis that answers and takes nothing, until the end of the block."""
    with redis.Redis(port=private_redis.port) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        with pytest.raises(redis.ResponseError, match="maxmemory"):
            client.set("anything", "at all")
        yield
        client.config_set("maxmemory", 0)


def test_a_full_redis_keeps_no_member_waiting_and_no_claim_unseen(
    cloned_database, live_stack, private_redis
):
    release = make_priced_trial(stock=3)
    alice, bob = make_rich_members(2)
    stack = live_stack(worker=True, beat=True, issuer=True, redis=private_redis)
    page = Page(stack.url, release, alice), Page(stack.url, release, bob)
    with filled(private_redis):
        asked_at = database_now()
        for visitor in page:
            started = time.monotonic()
            answer = visitor.claim()
            assert (answer.status_code, answer.headers["Location"][:17]) == (
                302, "/me/benefits/clm_",
            )  # fmt: skip
            assert time.monotonic() - started < ANSWER_SECONDS_MAX
        stack.wait_for(lambda: "A nudge was lost" in stack.log("web"), "web")
        stack.wait_for(
            lambda: not Claim.objects.filter(state="reserved").exists(),
            "issuer",  # The worker may well have ended over it; its supervisor starts it again.
            seconds=FINAL_SECONDS_MAX,
        )
    claims = Claim.objects.all()
    assert {made.state for made in claims} == {"granted"}
    assert max((made.granted_at - asked_at).total_seconds() for made in claims) < FINAL_SECONDS_MAX
    assert sorted(orders(stack)) == sorted(made.public_id for made in claims)
    assert_books_are_sound(cloned_database)


def test_control_a_bell_that_is_waited_for_and_no_timer_fail_the_member_and_the_claim(
    cloned_database, live_stack, private_redis
):
    release = make_priced_trial(stock=3)
    (alice,) = make_rich_members(1)
    stack = live_stack(web=False, issuer=True, redis=private_redis)
    stack.start(
        "worker", "-m", "celery", "-A", "tests.faults.timerless_worker", "worker", "--pool", "solo"
    )
    stack.start_careless_web("bell")
    stack.wait_for(lambda: "ready" in stack.log("worker"), "worker")
    with filled(private_redis):
        answer = Page(stack.url, release, alice).claim()
        assert answer.status_code == 500, "the control must see the member fail with Redis"
        stack.wait_for(lambda: "draining by timer" in stack.log("worker"), "worker")
        time.sleep(1)  # It would have looked for rows by now.
        made = Claim.objects.get()
        assert made.state == "reserved", "the control must see a claim that nobody looks for"
    assert_books_are_sound(cloned_database)
