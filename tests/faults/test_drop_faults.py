"""A drop whose Redis forgets and whose claimants die: nobody above the limit, every unit sold.

A seed says when what breaks. Beside each fault stands a control, the same drop without the guard
that carries the promise; it has to be seen to fail.
"""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connections

from benefits import gate as gate_module
from benefits.errors import Busy, LimitReached, SoldOut
from benefits.gate import Gate
from benefits.models import Claim
from benefits.services import claims
from benefits.services.returns import return_claim
from tests.benefits.factories import claim, make_benefit, make_release
from tests.races.test_claim_races import books, drop_constraint, make_members, replaced_function
from zone.core.clock import database_now
from zone.core.ids import uuid7

pytestmark = pytest.mark.slow
STOCK = 24
MEMBERS = 50
CLIENTS = 6
ANSWER_SECONDS_MAX = 60
SEEDS = [11, 12]


@pytest.fixture
def door(private_redis, settings, monkeypatch):
    settings.REDIS_URL = private_redis.url
    monkeypatch.setattr(gate_module, "ROUND_SECONDS", 3600)  # No second round helps out.
    monkeypatch.setattr(gate_module, "BREAKER_SECONDS", 0.1)
    fresh = Gate()
    monkeypatch.setattr(claims, "gate", fresh)
    return fresh


def key_of(client, release):
    keys = client.keys(f"zone:gate:{{{release.pk}}}:*")
    return keys[0] if keys else None


def flush(server, release, older):
    with redis.Redis.from_url(server.url) as client:
        client.flushall()


def fail_over(server, release, older):
    """Redis dies, and what comes back in its place is as it was a while ago."""
    server.kill()
    server.start()
    if older:
        with redis.Redis.from_url(server.url) as client:
            client.restore(
                f"zone:gate:{{{release.pk}}}:{int(time.time()) // 3600}", 0, older, replace=True
            )


def ask(member, release):
    """Until there is an answer: a full door only asks to try again."""
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while True:
        try:
            return claim(member, release)
        except (SoldOut, LimitReached) as answer:
            return answer
        except Busy:
            assert time.monotonic() < deadline, "nobody answers"
            time.sleep(0.01)


def rush(release, members, seed, server, fault):
    """Every member asks twice, each time anew, while Redis breaks after so many answers."""
    dice = random.Random(seed)
    askers = members * 2
    dice.shuffle(askers)
    remembered, *breaks = sorted(dice.sample(range(3, STOCK + 8), 3))
    answered, older, lock = 0, None, Lock()

    def run(member):
        nonlocal answered, older
        try:
            answer = ask(member, release)
        finally:
            connections.close_all()
        with lock:
            answered += 1
            if answered == remembered:
                with redis.Redis.from_url(server.url) as client:
                    older = client.dump(key_of(client, release))
            if answered in breaks:
                fault(server, release, older)
        return answer

    with ThreadPoolExecutor(max_workers=CLIENTS) as pool:
        return list(pool.map(run, askers))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", [flush, fail_over])
def test_a_redis_that_forgets_lets_nobody_above_the_limit_and_leaves_nothing_over(
    cloned_database, door, private_redis, fault, seed
):
    release = make_release(make_benefit(), codes=STOCK, is_hot=True)
    members = make_members(MEMBERS)
    answers = rush(release, members, seed, private_redis, fault)
    won = [answer for answer in answers if isinstance(answer, Claim)]
    assert len(won) == STOCK, f"seed {seed}"
    assert sorted(made.slot for made in won) == list(range(1, STOCK + 1)), f"seed {seed}"
    assert len({made.member_id for made in won}) == STOCK, f"seed {seed}"
    assert Claim.objects.count() == STOCK
    # The door stands again, and holds no more than it may.
    door.closed_until = 0.0
    door.sold_out_until.clear()
    with suppress(SoldOut, LimitReached, Busy):
        claim(make_members(1)[0], release)
    with redis.Redis.from_url(private_redis.url) as client:
        key = key_of(client, release)
        assert key is not None, f"seed {seed}: the door was not built again"
        assert 1 <= client.scard(key) <= -(-STOCK * gate_module.ROOM_PERCENT // 100)
    code, report = books(cloned_database)
    assert code == 0, report


@pytest.mark.parametrize("fault", [flush, fail_over])
def test_control_a_door_that_forgot_would_let_a_member_have_two(
    cloned_database, door, private_redis, fault
):
    """Without the database's limit: the door alone admits whoever asks it again."""
    release = make_release(make_benefit(), codes=STOCK, is_hot=True)
    members = make_members(MEMBERS)
    drop_constraint(cloned_database, "benefits_claim_nth_once")
    with replaced_function(
        cloned_database, "benefits_take_claim", "IF v_held >= v_release.per_member", "IF false"
    ):
        answers = rush(release, members, SEEDS[0], private_redis, fault)
    won = [answer.member_id for answer in answers if isinstance(answer, Claim)]
    assert len(won) > len(set(won)), "the control must see a member with two"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I17" in report


class Crowd:
    """Claiming processes that are killed and started again with the same operations."""

    def __init__(self, database, release, members, folder, seed):
        self.database, self.release, self.folder, self.seed = database, release, folder, seed
        self.dice = random.Random(seed)
        orders = [f"{member.pk}:{uuid7()}" for member in members]
        self.shares = [orders[part::3] for part in range(3)]
        self.processes = [self.start(part) for part in range(3)]

    def start(self, part):
        with (self.folder / f"heard{part}").open("ab") as heard:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.faults.drop_client", self.release.public_id),
                    *(str(self.seed + part), *self.shares[part]),
                ],
                env={
                    **os.environ, **self.database.env, "DJANGO_SETTINGS_MODULE": "zone.settings",
                },
                cwd=django_settings.BASE_DIR,
                stdout=heard,
                start_new_session=True,
            )  # fmt: skip

    def heard(self):
        lines = [place.read_text().splitlines() for place in self.folder.glob("heard*")]
        return [line.split() for part in lines for line in part]

    def wait_for_a_claim(self, owner):
        """The session of a claim that is under way now; None when all have their answers."""
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while any(process.poll() is None for process in self.processes):
            assert time.monotonic() < deadline, "nobody claims"
            row = owner.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND state = 'active' AND query LIKE '%(answer.taken)%'"
                " AND pid <> pg_backend_pid()"
            ).fetchone()
            if row:
                return row[0]
            time.sleep(0.005)
        return None

    def strike(self, owner):
        """In the middle of a claim: its session is ended, or a claiming process is killed."""
        pid = self.wait_for_a_claim(owner)
        if pid is None:
            return 0
        if self.dice.random() < 0.5:
            return int(owner.execute("SELECT pg_terminate_backend(%s)", [pid]).fetchone()[0])
        part = self.dice.randrange(3)
        if self.processes[part].poll() is not None:
            return 0
        self.processes[part].send_signal(signal.SIGKILL)
        self.processes[part].wait()
        self.processes[part] = self.start(part)
        return 1

    def wait(self):
        for process in self.processes:
            assert process.wait(ANSWER_SECONDS_MAX) == 0

    def kill(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


@contextmanager
def slow_claims(database):
    """Between slot and claim there is time to die in."""
    with replaced_function(
        database, "benefits_take_claim",
        "INSERT INTO benefits_claim (", "PERFORM pg_sleep(0.05); INSERT INTO benefits_claim (",
    ):  # fmt: skip
        yield


def drop_with_deaths(database, folder, seed):
    """A drop with deaths and returns; the release, what was heard, and how many came back."""
    release = make_release(make_benefit(), codes=STOCK)
    members = make_members(MEMBERS)
    late = make_members(STOCK)
    with ExitStack() as stack:
        stack.enter_context(slow_claims(database))
        owner = stack.enter_context(database.connect(as_owner=True))
        crowd = Crowd(database, release, members, folder, seed)
        stack.callback(crowd.kill)
        strikes = sum(crowd.strike(owner) for _ in range(6))
        assert strikes >= 3, f"seed {seed}: too few deaths to prove anything"
        crowd.wait()
    made = list(Claim.objects.order_by("pk"))
    back = crowd.dice.sample(made, 5)
    for one in back:
        return_claim(claim=one, now=database_now(), actor="member:test")
    for member in late:
        ask(member, release)
    return release, crowd.heard(), len(back)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_dead_let_go_of_is_sold_to_the_last(cloned_database, tmp_path, seed):
    release, heard, back = drop_with_deaths(cloned_database, tmp_path, seed)
    holding = Claim.objects.filter(release=release, holds_slot=True)
    assert sorted(holding.values_list("slot", flat=True)) == list(range(1, STOCK + 1))
    assert holding.values("member").distinct().count() == STOCK
    assert Claim.objects.count() == STOCK + back
    # Whatever was acknowledged is there, and a retry heard what the first try had made.
    of_member = {}
    for word, member, *public_id in heard:
        if word == "won":
            assert of_member.setdefault(member, public_id[0]) == public_id[0]
    assert len(of_member) == STOCK
    stored = set(Claim.objects.values_list("public_id", flat=True))
    assert set(of_member.values()) <= stored
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_without_taking_back_the_tail_is_never_sold(cloned_database, tmp_path):
    with replaced_function(
        cloned_database, "benefits_next_slot",
        "WHERE returned.release_id = p_release", "WHERE false AND returned.release_id = p_release",
    ):  # fmt: skip
        release, _, back = drop_with_deaths(cloned_database, tmp_path, SEEDS[0])
    assert Claim.objects.filter(release=release, holds_slot=True).count() == STOCK - back
