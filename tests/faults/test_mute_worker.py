"""A worker that goes deaf after its connection to Redis broke: ended, started again, nothing lost."""

import random
import signal
import sys
import time

import pytest
import redis

from benefits.models import Claim
from tests.benefits.factories import claim
from tests.faults.test_grant_faults import (
    assert_books_are_sound,
    make_priced_trial,
    make_rich_members,
    orders,
)
from tests.faults.wires import Wires
from zone.core.watchdog import Muteness
from zone.embedded.supervisor import Child, Supervisor

pytestmark = pytest.mark.slow
FINAL_SECONDS_MAX = 60
MEMBERS = 6
PATIENCE_SECONDS = 4


class Watched:
    """A worker behind breakable wires, under the supervisor that the demo runs."""

    def __init__(self, stack, wires, *, mute_seconds):
        self.said = []
        self.supervisor = Supervisor(self.said.append)
        command = [
            "-m",
            "celery",
            "-A",
            "tests.faults.brisk_worker",
            "worker",
            "--concurrency",
            "2",
        ]
        env = {
            **stack.env,
            "REDIS_URL": wires.url,
            "DJANGO_SETTINGS_MODULE": "tests.faults.watch_settings",
            "TEST_MUTE_SECONDS": str(mute_seconds),
        }
        self.child = self.supervisor.add(
            Child(
                "worker",
                [sys.executable, *command, "--without-gossip", "--without-mingle"],
                env,
                stack.folder / "worker.log",
            )
        )
        stack.wait_for(lambda: "ready" in stack.log("worker"), "worker")

    def is_granted(self):
        """Everything is granted; as a side effect a worker that ended is started again."""
        self.supervisor.tend()
        return not Claim.objects.exclude(state="granted").exists()


@pytest.fixture
def stage(cloned_database, live_stack, private_redis):
    """Members with credits, a trial, an issuer, and a worker that one beat keeps busy."""
    release = make_priced_trial(stock=MEMBERS)
    members = make_rich_members(MEMBERS)
    stack = live_stack(web=False, issuer=True, redis=private_redis)
    wires = Wires(private_redis.port)
    started = []

    def watch(mute_seconds):
        stack.start_beat()  # Its first round comes about when the worker is ready.
        started.append(Watched(stack, wires, mute_seconds=mute_seconds))
        stack.wait_for(lambda: has_done_all_it_heard(stack), "worker")
        return started[0]

    yield stack, wires, watch, [lambda m=m: claim(m, release) for m in members]
    for watched in started:
        watched.child.signal_group(signal.SIGKILL)  # The deaf do not hear that they may leave.
        watched.supervisor.stop()
    wires.close()


def has_done_all_it_heard(stack):
    """Work in its hands would excuse a worker that takes nothing for as long as a task may last."""
    log = stack.log("worker")
    return 0 < log.count(" received") == log.count(" succeeded in ")


def assert_one_effect_each(stack, database):
    claims = list(Claim.objects.all())
    assert {made.state for made in claims} == {"granted"}
    assert sorted(orders(stack)) == sorted(made.public_id for made in claims)
    assert_books_are_sound(database)


@pytest.mark.parametrize("seed", [5])
def test_three_resets_in_three_seconds_lose_nothing(cloned_database, stage, seed):
    dice = random.Random(seed)
    stack, wires, watch, claims = stage
    watched = watch(mute_seconds=30)
    broken = 0
    for round_number in range(3):
        claims[2 * round_number]()
        time.sleep(dice.random())
        broken += wires.reset()
        claims[2 * round_number + 1]()
    assert broken >= 6, "each round must break what the worker has"
    stack.wait_for(watched.is_granted, "worker", seconds=FINAL_SECONDS_MAX)
    assert_one_effect_each(stack, cloned_database)


def test_a_worker_gone_deaf_ends_itself_and_its_successor_grants(cloned_database, stage):
    stack, wires, watch, claims = stage
    watched = watch(mute_seconds=PATIENCE_SECONDS)
    assert wires.swallow() >= 2
    for make in claims:
        make()
    # On a slow machine the timer may have granted by then; deaf the worker is all the same.
    stack.wait_for(
        lambda: watched.is_granted() and watched.said, "worker", seconds=FINAL_SECONDS_MAX
    )
    assert "takes nothing although messages wait" in stack.log("worker")
    assert watched.said[0].startswith("worker ended")
    assert_one_effect_each(stack, cloned_database)


def test_control_without_the_watch_it_stays_deaf(stage, private_redis):
    stack, wires, watch, claims = stage
    watched = watch(mute_seconds=3600)
    wires.swallow()
    time.sleep(1)  # What was on its way before arrives.
    heard = stack.log("worker").count(" received")
    claims[0]()
    time.sleep(2 * PATIENCE_SECONDS)
    watched.is_granted()
    with redis.Redis(port=private_redis.port) as client:
        assert client.llen("celery") > 0
    assert stack.log("worker").count(" received") == heard, "the control must see it hear nothing"
    assert watched.said == []


def test_what_counts_as_deafness(settings):
    now = [0.0]
    muteness = Muteness(clock=lambda: now[0])

    def look(at, **facts):
        now[0] = at
        return muteness.look(**{"waiting": 1, "taken": 7, "is_busy": False, **facts})

    assert look(10) == 0, "it took something since the start"
    assert look(20) == 10
    assert look(21, waiting=0) == 0, "nothing to take"
    assert look(40) == 19
    assert look(41, waiting=None) == 0, "Redis itself is away"
    assert look(60, taken=8) == 0, "it takes"
    assert look(100, taken=8, is_busy=True) == 0, "its hands are full"
    assert look(110, taken=8) == 10
    last = 60 + settings.CELERY_TASK_TIME_LIMIT
    assert look(last, taken=8, is_busy=True) > 0, "no task takes so long: it was lost"
