"""Vouchers of a wallet through real processes: killed workers, lost replies, news of their use."""

import httpx
import pytest

from benefits.models import Claim
from tests.benefits.factories import claim, make_benefit, make_provider, make_release
from tests.benefits.test_wallet_vouchers import VOUCHER
from tests.faults.test_grant_faults import (
    assert_books_are_sound,
    is_dead_by_failpoint,
    make_rich_members,
    ring,
)
from zone.core.clock import database_now

pytestmark = pytest.mark.slow
MEMBERS = 12


def make_vouchers():
    provider = make_provider(kind="test_wallet", timeout_ms=2000, url="", allows_return=True)
    benefit = make_benefit(price_credits=100, **VOUCHER)
    return make_release(benefit, stock=MEMBERS, provider=provider)


def vouchers(stack):
    return httpx.get(f"{stack.issuer_url}/issues").json()["orders"]


def has_ended_without_pauses(stack):
    """Whether nobody waits any more; as a side effect nobody's next try does."""
    waiting, now = Claim.objects.filter(state="reserved"), database_now()
    pausing = waiting.filter(lease_until=None, next_attempt_at__gt=now)
    if pausing.update(next_attempt_at=now):
        ring(stack)
    return not waiting.exists()


@pytest.mark.parametrize("seed", [16])
def test_lost_replies_and_a_dead_worker_leave_one_voucher_each_and_its_use_arrives(
    cloned_database, live_stack, seed
):
    release = make_vouchers()
    made = [claim(member, release) for member in make_rich_members(MEMBERS)]
    stack = live_stack(issuer=True)
    stack.env["SITE_URL"] = stack.url  # Where the wallet tells what became of its vouchers.
    moods = {"lose_reply": 0.3, "seed": seed}
    httpx.post(f"{stack.issuer_url}/control", json=moods).raise_for_status()
    stack.env["ZONE_FAILPOINT"] = f"grant_after_provider:{made[0].public_id}"
    stack.start_worker()
    ring(stack)
    stack.wait_for(lambda: is_dead_by_failpoint(stack), "worker")
    stack.kill("worker")
    del stack.env["ZONE_FAILPOINT"]
    Claim.objects.filter(state="reserved").update(lease_until=database_now())
    stack.start_worker()
    ring(stack)
    stack.wait_for(lambda: has_ended_without_pauses(stack), "worker")
    assert {one.state for one in Claim.objects.all()} == {"granted"}
    kept = {order["claim"]: order["reference"] for order in vouchers(stack)}
    assert len(vouchers(stack)) == MEMBERS
    assert kept == dict(Claim.objects.values_list("public_id", "provider_reference"))
    assert Claim.objects.filter(attempts__gt=1).exists(), "replies must have been lost"

    used = Claim.objects.order_by("pk").first()
    number = used.provider_reference
    httpx.post(f"{stack.issuer_url}/vouchers/{number}", json={"status": "USED"}).raise_for_status()
    stack.wait_for(lambda: Claim.objects.get(pk=used.pk).state == "redeemed", "web", seconds=40)
    assert used.redemptions.count() == 1
    assert_books_are_sound(cloned_database)
