"""Workers that die and a Redis that goes away: real processes, one grant, one provider effect."""

import time

import httpx
import pytest
from celery import current_app

from benefits.models import Claim, Code
from tests.benefits.factories import claim, give_credits, make_benefit, make_provider, make_release
from tests.core.test_nudge import make_bell
from tests.databases import verify_books
from tests.factories import bind, make_member
from tests.threads import together
from zone.core.clock import database_now

pytestmark = pytest.mark.slow
FINAL_SECONDS_MAX = 30
ANSWER_SECONDS_MAX = 5
MEMBERS = 30


def make_priced_trial(stock):
    provider = make_provider(kind="sandbox", timeout_ms=2000)
    benefit = make_benefit(
        kind="icloud_trial",
        detail={"service": "icloud_plus", "trial_period": "P1M"},
        price_credits=100,
    )
    return make_release(benefit, stock=stock, provider=provider)


def make_rich_members(number):
    members = [make_member() for _ in range(number)]
    for member in members:
        bind(member)
        give_credits(member, 100)
    return members


def orders(stack):
    return [order["claim"] for order in httpx.get(f"{stack.issuer_url}/issues").json()["orders"]]


def assert_books_are_sound(database):
    code, report = verify_books(database)
    assert code == 0, report


def ring(stack, task="benefits.tasks.drain_grants"):
    """What the page does after a commit: here it was made by the test, beside the stack."""
    bell = make_bell(stack.env["REDIS_URL"])
    bell.ring(task)
    assert bell.flush(5)


def is_dead_by_failpoint(stack):
    return "SIGKILL" in stack.log("worker") or "signal 9" in stack.log("worker")


@pytest.mark.parametrize(
    ("failpoint", "orders_before"),
    [("grant_after_lease", 0), ("grant_after_provider", 1), ("grant_before_commit", 1)],
)
def test_a_worker_killed_anywhere_leaves_one_grant_and_one_effect(
    cloned_database, live_stack, failpoint, orders_before
):
    release = make_priced_trial(stock=3)
    (alice,) = make_rich_members(1)
    stack = live_stack(web=False, issuer=True)
    stack.env["ZONE_FAILPOINT"] = failpoint
    stack.start_worker()
    made = claim(alice, release)
    ring(stack)
    stack.wait_for(lambda: is_dead_by_failpoint(stack), "worker")
    stack.kill("worker")
    made.refresh_from_db()
    assert (made.state, made.attempts, made.lease_until is not None) == ("reserved", 1, True)
    assert orders(stack).count(made.public_id) == orders_before
    assert Code.objects.count() == 0
    assert_books_are_sound(cloned_database)

    # The dead worker's minute is over.
    Claim.objects.filter(pk=made.pk).update(lease_until=database_now())
    del stack.env["ZONE_FAILPOINT"]
    stack.start_worker()
    ring(stack)
    stack.wait_for(lambda: Claim.objects.get(pk=made.pk).state == "granted", "worker")
    made.refresh_from_db()
    assert made.attempts == 2
    assert made.events.filter(cause="grant").count() == 1
    assert orders(stack).count(made.public_id) == 1
    assert Code.objects.count() == 1
    assert_books_are_sound(cloned_database)


def test_redis_gone_for_good_delays_grants_and_loses_none(
    cloned_database, live_stack, private_redis
):
    release = make_priced_trial(stock=MEMBERS)
    members = make_rich_members(MEMBERS)
    stack = live_stack(web=False, worker=True, beat=True, issuer=True, redis=private_redis)
    broker, current_app.conf.broker_url = current_app.conf.broker_url, private_redis.url

    def claim_in_turn(number):
        time.sleep(number * 0.05)
        if number == MEMBERS // 2:
            private_redis.kill()
        started = time.monotonic()
        made = claim(members[number], release)
        return made, time.monotonic() - started

    try:
        answers = together([lambda n=n: claim_in_turn(n) for n in range(MEMBERS)])
    finally:
        current_app.conf.broker_url = broker
    assert all(isinstance(answer, tuple) for answer in answers), answers
    assert max(seconds for _, seconds in answers) < ANSWER_SECONDS_MAX
    assert not private_redis.answers()
    stack.wait_for(
        lambda: not Claim.objects.filter(state="reserved").exists(),
        "worker",
        seconds=FINAL_SECONDS_MAX + 5,
    )
    claims = list(Claim.objects.all())
    assert {made.state for made in claims} == {"granted"}
    waits = [(made.granted_at - made.created_at).total_seconds() for made in claims]
    assert max(waits) < FINAL_SECONDS_MAX, waits
    assert sorted(set(orders(stack)) & {made.public_id for made in claims}) == sorted(
        made.public_id for made in claims
    )
    assert_books_are_sound(cloned_database)
