"""The door in front of a rush: it may ask to try again, and only the database says "sold out"."""

import time

import pytest

from benefits import gate as gate_module
from benefits.errors import Busy, SoldOut
from benefits.gate import Gate
from benefits.services import claims
from tests.benefits.factories import claim, make_benefit, make_release
from zone.core.ids import uuid7


@pytest.fixture
def door(private_redis, settings, monkeypatch):
    settings.REDIS_URL = private_redis.url
    monkeypatch.setattr(gate_module, "ROUND_SECONDS", 3600)
    fresh = Gate()
    monkeypatch.setattr(claims, "gate", fresh)
    return fresh


def admitted(door, members, *, stock=10):
    passed = 0
    for member in members:
        try:
            door.admit(release_id=1, stock=stock, visitor=str(member))
        except Busy:
            continue
        passed += 1
    return passed


def test_as_many_pass_as_there_is_stock_for_and_each_again(door):
    assert admitted(door, range(100)) == 11  # 102 %, rounded up
    assert admitted(door, range(11)) == 11
    assert admitted(door, range(11, 100)) == 0


def test_without_redis_each_process_lets_in_its_own_share(door, private_redis):
    private_redis.kill()
    began = time.monotonic()
    passed = admitted(door, range(1000))
    assert 200 <= passed <= 200 + 200 * (time.monotonic() - began) + 1
    assert time.monotonic() - began < 2, "a Redis that is away is asked once, not a thousand times"


def test_a_redis_that_forgot_the_script_or_hung_up_is_asked_anew(door):
    assert admitted(door, range(3)) == 3
    client = door._client()
    client.script_flush()
    assert admitted(door, range(3, 6)) == 3
    client.client_kill_filter(_type="normal", skipme=True)
    assert admitted(door, range(6, 12)) == 5
    assert door.closed_until == 0.0, "nobody was let in past the door meanwhile"


def test_an_emptied_redis_never_sells_what_is_not_there(door, private_redis, alice, bob):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    assert claim(alice, release).state == "granted"
    door._client().flushall()
    with pytest.raises(SoldOut):
        claim(bob, release)
    assert bob.claims.count() == 0


def test_sold_out_is_remembered_for_a_blink_and_a_retry_still_gets_its_claim(door, alice, bob):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    op_id = uuid7()
    first = claim(alice, release, op_id=op_id)
    assert not door.is_sold_out(release.pk)
    with pytest.raises(SoldOut):
        claim(bob, release)
    assert door.is_sold_out(release.pk)
    assert claim(alice, release, op_id=op_id) == first
    time.sleep(gate_module.SOLD_OUT_SECONDS + 0.05)
    assert not door.is_sold_out(release.pk)


def test_a_full_door_says_busy_and_not_sold_out(door, alice, bob):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    for stranger in range(-3, 0):
        try:
            door.admit(release_id=release.pk, stock=1, visitor=str(stranger))
        except Busy:
            continue
    with pytest.raises(Busy):
        claim(bob, release)
    assert bob.claims.count() == 0
