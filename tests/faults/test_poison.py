"""A claim that kills whatever worker holds it: fenced in, with an end, and nobody else pays."""

import pytest
from django.db.models import F

from benefits.models import Alarm, Claim, ReturnedSlot
from benefits.services import silence
from tests.benefits.factories import claim
from tests.benefits.test_claim_benefit import balance
from tests.core.test_nudge import make_bell
from tests.faults.test_grant_faults import (
    assert_books_are_sound,
    make_priced_trial,
    make_rich_members,
    orders,
    ring,
)
from tests.races.test_claim_races import replaced_function
from zone.core.clock import database_now

pytestmark = pytest.mark.slow
NEIGHBOURS = 11
ATTEMPTS_MAX = 3


def poisoned(live_stack, place):
    """Claims of twelve members; over the first one, workers die at `place`."""
    release = make_priced_trial(stock=NEIGHBOURS + 1)
    release.provider.attempts_max = ATTEMPTS_MAX
    release.provider.save(update_fields=["attempts_max"])
    members = make_rich_members(NEIGHBOURS + 1)
    stack = live_stack(web=False, issuer=True)
    made = [claim(member, release) for member in members]
    stack.env["ZONE_FAILPOINT"] = f"{place}:{made[0].public_id}"
    stack.start_worker()
    stack.start_beat()
    ring(stack)
    return stack, made[0], [other.pk for other in made[1:]]


class Clock:
    """Lets a dead worker's minute be over as soon as it died, and only then."""

    def __init__(self, stack):
        self.stack, self.seen = stack, 0
        self.bell = make_bell(stack.env["REDIS_URL"])

    def has_ended(self, *keys):
        died = deaths(self.stack)
        now = database_now()
        waiting = Claim.objects.filter(state="reserved", attempts__gt=0)
        if died > self.seen:
            # Fenced in means lease and pause of one hour: that one is not to be shortened.
            waiting.filter(lease_until__gt=now).exclude(next_attempt_at=F("lease_until")).update(
                lease_until=now
            )
            self.seen = died
            self.bell.ring("benefits.tasks.drain_grants")
        pausing = waiting.filter(lease_until=None, next_attempt_at__gt=now)
        if pausing.exclude(provider_status="silent").update(next_attempt_at=now):
            self.bell.ring("benefits.tasks.drain_grants")
        return not Claim.objects.filter(pk__in=keys, state="reserved").exists()


def deaths(stack):
    return stack.log("worker").count("exited with 'signal 9")


def test_what_was_never_ordered_ends_and_gives_everything_back(cloned_database, live_stack):
    stack, poison, others = poisoned(live_stack, "grant_order")
    clock = Clock(stack)
    stack.wait_for(lambda: clock.has_ended(poison.pk, *others), "worker")
    poison.refresh_from_db()
    assert (poison.state, poison.failure_code, poison.holds_slot) == (
        "failed", "never_issued", False,
    )  # fmt: skip
    assert poison.attempts == ATTEMPTS_MAX + 1
    assert balance(poison.member)[:2] == (100, 0)
    assert list(ReturnedSlot.objects.values_list("slot", flat=True)) == [poison.slot]
    assert Alarm.objects.get(kind="worker_lost").subject == poison.public_id
    neighbours = Claim.objects.filter(pk__in=others)
    assert {other.state for other in neighbours} == {"granted"}
    assert max(other.attempts for other in neighbours) <= ATTEMPTS_MAX, "held with it twice at most"
    assert sorted(orders(stack)) == sorted(other.public_id for other in neighbours)
    assert 1 <= deaths(stack) <= ATTEMPTS_MAX
    assert_books_are_sound(cloned_database)


def test_what_was_ordered_stays_held_and_is_granted_once_the_fault_is_mended(
    cloned_database, live_stack
):
    """Giving the credits back would make an issued benefit free; trying for ever would be a loop."""
    stack, poison, others = poisoned(live_stack, "grant_after_provider")
    fenced = Alarm.objects.filter(kind="worker_lost")
    clock = Clock(stack)
    stack.wait_for(lambda: clock.has_ended(*others) and fenced.exists(), "worker")
    stack.wait_for(lambda: deaths(stack) == ATTEMPTS_MAX + 1, "worker")
    poison.refresh_from_db()
    assert (poison.state, poison.provider_status) == ("reserved", "silent")
    assert (poison.next_attempt_at - database_now()).total_seconds() > 3000
    assert balance(poison.member)[:2] == (0, 100)
    assert {other.state for other in Claim.objects.filter(pk__in=others)} == {"granted"}
    assert_books_are_sound(cloned_database)

    stack.kill("worker")
    del stack.env["ZONE_FAILPOINT"]
    stack.start_worker()
    silence.ask_again(claim=poison, actor="operator:x", now=database_now())
    ring(stack)
    stack.wait_for(lambda: Claim.objects.get(pk=poison.pk).state == "granted", "worker")
    assert orders(stack).count(poison.public_id) == 1
    assert balance(poison.member)[:2] == (0, 0)
    assert_books_are_sound(cloned_database)


def test_control_leased_with_all_the_others_it_takes_them_along(cloned_database, live_stack):
    with replaced_function(
        cloned_database, "benefits_lease_suspect", "first_due.attempts >= 2", "false"
    ), replaced_function(
        cloned_database, "benefits_lease_fairly", " AND claim.attempts < 2", ""
    ):  # fmt: skip
        stack, _, others = poisoned(live_stack, "grant_order")
        clock = Clock(stack)
        stack.wait_for(lambda: clock.has_ended() and deaths(stack) >= ATTEMPTS_MAX, "worker")
        assert Claim.objects.filter(pk__in=others, attempts__gte=ATTEMPTS_MAX).exists(), (
            "the control must see others of the batch held by every dead worker"
        )
