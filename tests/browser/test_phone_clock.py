"""A drop on a phone whose clock is wrong, and is set while one looks: the server's hour counts."""

import re
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import expect

from benefits.models import Claim
from tests.benefits.factories import make_benefit, make_release
from tests.browser.test_gift_walk import sign_in
from tests.factories import bind, make_member
from zone.core.clock import database_now
from zone.core.ids import uuid7

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# The phone's clock, that somebody can set: `shift` is how far from the truth it is.
WRONG_CLOCK = """
    const truth = Date.now.bind(Date);
    window.shift = %d;
    Date.now = () => truth() + window.shift;
"""
HOUR = 3_600_000


def seconds_shown(page) -> int:
    """What the countdown of the page says."""
    text = page.locator("[data-countdown]").first.inner_text()
    assert re.fullmatch(r"\d\d:\d\d:\d\d", text), text
    hours, minutes, seconds = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def off_by(page, opens_at) -> float:
    return abs(seconds_shown(page) - (opens_at - database_now()).total_seconds())


@pytest.mark.parametrize("hours", [3, -3])
def test_whatever_the_phone_believes_the_countdown_is_the_servers(
    live_stack, cloned_database, quiet_page, hours
):
    stack, page = live_stack(), quiet_page
    release = make_release(make_benefit(), codes=1, opens_at=database_now() + timedelta(hours=2))
    member = make_member()
    bind(member)
    sign_in(page, stack.url, member)
    page.add_init_script(WRONG_CLOCK % (hours * HOUR))
    page.goto(f"{stack.url}/benefits/{release.benefit.slug}")
    assert off_by(page, release.opens_at) < 5
    page.evaluate(f"window.shift = {-hours * HOUR}")  # Somebody sets it while looking.
    page.wait_for_timeout(2500)
    assert off_by(page, release.opens_at) < 5
    # What the phone may have slept through is asked of the server.
    with page.expect_response(f"{stack.url}/healthz"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(500)
    assert off_by(page, release.opens_at) < 5
    assert Claim.objects.count() == 0


def test_a_second_before_it_is_refused_and_at_its_hour_it_is_given(
    live_stack, cloned_database, quiet_page
):
    stack, page = live_stack(), quiet_page
    member = make_member()
    bind(member)
    sign_in(page, stack.url, member)
    page.add_init_script(
        WRONG_CLOCK % (3 * HOUR)
    )  # By the phone's clock it has been open for long.
    opens_at = database_now() + timedelta(seconds=15)
    release = make_release(make_benefit(), codes=1, opens_at=opens_at)
    address = f"{stack.url}/benefits/{release.benefit.slug}"
    page.goto(address)
    token = next(c["value"] for c in page.context.cookies() if "csrf" in c["name"])
    form = {
        "op_id": "", "release": release.public_id, "price": "0", "csrfmiddlewaretoken": token,
    }  # fmt: skip
    cookies = {c["name"]: c["value"] for c in page.context.cookies()}

    def press():
        return httpx.post(
            f"{address}/claim", data={**form, "op_id": str(uuid7())}, cookies=cookies,
            headers={"Origin": stack.url, "Referer": address}, timeout=30,
        ).status_code  # fmt: skip

    page.wait_for_timeout(max((opens_at - database_now()).total_seconds() - 1, 0) * 1000)
    assert press() == 409
    assert Claim.objects.count() == 0
    expect(page.locator("[data-countdown]").first).not_to_have_text(
        re.compile(r"\d\d:\d\d:\d\d"), timeout=10_000
    )
    assert database_now() >= opens_at, "it never opens before its hour"
    assert press() == 302
    assert Claim.objects.get().member_id == member.pk
