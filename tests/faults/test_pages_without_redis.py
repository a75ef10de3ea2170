"""Members claim through the pages while Redis goes away for good: everybody gets an answer."""

import re
import time

import httpx
import pytest

from benefits.models import Claim
from tests.faults.test_grant_faults import (
    ANSWER_SECONDS_MAX,
    FINAL_SECONDS_MAX,
    assert_books_are_sound,
    make_priced_trial,
    make_rich_members,
    orders,
)
from tests.threads import together
from zone.core import clock
from zone.members.services import sessions

pytestmark = pytest.mark.slow
MEMBERS = 24
BRISK = "tests.faults.brisk_worker"


def test_every_claim_is_answered_and_final(cloned_database, live_stack, private_redis, settings):
    release = make_priced_trial(stock=MEMBERS)
    address = f"/benefits/{release.benefit.slug}/claim"
    cookies = [
        sessions.open_session(member=member, now=clock.now()).cookie
        for member in make_rich_members(MEMBERS)
    ]
    stack = live_stack(web=True, beat=True, issuer=True, redis=private_redis)
    stack.start_worker(BRISK)

    def claim_in_turn(number):
        time.sleep(number * 0.1)
        if number == MEMBERS // 2:
            private_redis.kill()
        jar = {settings.MEMBER_COOKIE_NAME: cookies[number]}
        with httpx.Client(base_url=stack.url, cookies=jar, timeout=30) as browser:
            page = browser.get(address)
            fields = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page.text))
            started = time.monotonic()
            answer = browser.post(address, data=fields, headers={"Origin": stack.url})
            return (
                answer.status_code,
                answer.headers.get("Location", ""),
                time.monotonic() - started,
            )

    answers = together([lambda n=n: claim_in_turn(n) for n in range(MEMBERS)])

    assert all(isinstance(answer, tuple) for answer in answers), answers
    assert {status for status, _, _ in answers} == {302}, answers
    assert all(where.startswith("/me/benefits/clm_") for _, where, _ in answers), answers
    assert max(seconds for _, _, seconds in answers) < ANSWER_SECONDS_MAX
    assert not private_redis.answers()
    wait_until_final(stack)
    claims = list(Claim.objects.all())
    assert [made.state for made in claims] == ["granted"] * MEMBERS
    waits = [(made.granted_at - made.created_at).total_seconds() for made in claims]
    assert max(waits) < FINAL_SECONDS_MAX, waits
    assert sorted(set(orders(stack))) == sorted(made.public_id for made in claims)
    assert_books_are_sound(cloned_database)


def wait_until_final(stack):
    """As under a supervisor: a worker that its broken connection takes down is started again."""
    deadline = time.monotonic() + FINAL_SECONDS_MAX + 5
    while Claim.objects.filter(state="reserved").exists():
        assert time.monotonic() < deadline, stack.log("worker")[-3000:]
        if stack.processes["worker"].poll() is not None:
            stack.start_worker_without_waiting(BRISK)
        time.sleep(0.2)
