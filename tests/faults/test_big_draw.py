"""A draw of ten thousand entries, carried out by a worker while nobody waits for it."""

import time

import pytest

from benefits import verify_drop
from benefits.models import Claim, DrawEntry, FairDraw
from tests.benefits.test_draws import announce, close, proof_of
from tests.faults.test_grant_faults import assert_books_are_sound, ring
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Binding, Member, Wallet
from zone.notices.models import Notice

pytestmark = pytest.mark.slow
ENTRIES, UNITS = 10_000, 200
DRAWN_SECONDS_MAX = 30


def make_entrants(draw):
    """Ten thousand bound members, each with an entry, in as few statements as possible."""
    wallet, now = Wallet.objects.get(code="ALIPAY_CN"), database_now()
    members = Member.objects.bulk_create(
        Member(
            wallet=wallet, language="en", storefront=wallet.storefront,
            time_zone=wallet.time_zone, joined_at=now, is_adult=True,
        )
        for _ in range(ENTRIES)
    )  # fmt: skip
    Binding.objects.bulk_create(
        Binding(
            member=member, storefront=member.storefront, status=Binding.Status.ACTIVE,
            agreement_reference=f"AGR-{uuid7().hex}", status_occurred_at=now, bound_at=now,
        )
        for member in members
    )  # fmt: skip
    DrawEntry.objects.bulk_create(
        DrawEntry(draw=draw, member=member, entered_at=now) for member in members
    )


def test_ten_thousand_entries_are_drawn_claimed_and_told(cloned_database, live_stack):
    draw = announce(stock=UNITS)
    published = proof_of(draw)
    make_entrants(draw)
    close(draw)
    stack = live_stack(web=False, worker=True)
    stack.start_beat()
    ring(stack, "benefits.tasks.drain_draws")
    started = time.monotonic()
    stack.wait_for(lambda: FairDraw.objects.get().state == "done", "worker", seconds=90)
    assert time.monotonic() - started < DRAWN_SECONDS_MAX
    proof = proof_of(draw)
    assert len(proof["entries"]) == ENTRIES
    assert proof["winners"] == verify_drop.check(proof, published)[:UNITS]
    won = DrawEntry.objects.filter(state="won")
    assert (won.count(), Claim.objects.count()) == (UNITS, UNITS)
    assert won.filter(claim=None).count() == 0
    assert DrawEntry.objects.filter(state="lost").count() == ENTRIES - UNITS
    untold = DrawEntry.objects.filter(told_at=None)
    stack.wait_for(lambda: not untold.exists(), "worker", seconds=90)
    told = Notice.objects.filter(kind__in=["draw_won", "draw_lost"])
    assert told.values("member").distinct().count() == told.count() == ENTRIES
    assert_books_are_sound(cloned_database)
