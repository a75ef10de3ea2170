"""What becomes of tickets when their draw is over: used, or paid back where nothing was drawn."""

import time
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from benefits.errors import BudgetExhausted, ClaimNotUsable, Ended, Paused, SoldOut
from benefits.models import Claim, DrawEntry, FairDraw
from benefits.services.endings import DRAW_OFF, revoke_claim
from benefits.services.moves import record_events, tell_partner
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.core.failpoints import failpoint
from zone.core.stuck import Attempts

PAY_BACK_ENTRIES = 100
# Drawn, but there was nothing to be had: that is nothing of the member's.
PRIZE_GONE = {each.code for each in (Ended, SoldOut, Paused, NotFound, BudgetExhausted)}
State = Claim.State


def is_paid_back(entry: DrawEntry) -> bool:
    """Whether a ticket of a draw that is done is paid back, as it had no chance of what was said."""
    return entry.ticket_id is not None and entry.reason in PRIZE_GONE


def settle_tickets(draw: FairDraw, entries: Sequence[DrawEntry], *, now: datetime) -> None:
    """These tickets of a draw that is done are used, or paid back. Joins the caller's transaction.

    Safe to repeat: a ticket is settled once, and one that was taken away stays as it is.
    """
    for entry in entries:
        if is_paid_back(entry):
            _pay_back(entry, now=now)
    claims = list(
        Claim.objects.select_for_update(no_key=True)
        .filter(ticket_entry__in=[entry.pk for entry in entries], state=State.GRANTED)
        .order_by("pk")
    )
    Claim.objects.filter(pk__in=[claim.pk for claim in claims]).update(
        state=State.REDEEMED, redeemed_at=now, updated_at=now
    )
    record_events(
        [(claim, {"draw": draw.public_id}) for claim in claims],
        was=State.GRANTED,
        to=State.REDEEMED,
        cause="draw",
        actor=f"draw:{draw.public_id}",
        now=now,
    )
    for claim in claims:
        claim.state, claim.redeemed_at = State.REDEEMED, now
        tell_partner(claim, was=State.GRANTED, cause="draw", now=now)


def pay_back_tickets(*, seconds_max: float) -> int:
    """Tickets of draws that were called off end, and what they cost comes back; how many.

    One commit each, which says so on the entry. Safe to kill and to run in several processes: a
    ticket is paid back once, and one that cannot be keeps nobody behind it waiting. Ends after
    `seconds_max`; the next drain goes on.
    """
    attempts, stops_at = Attempts("tickets"), time.monotonic() + seconds_max
    paid = 0
    while waiting := _list_unpaid(attempts.left_out):
        done = 0
        for pk in waiting:
            with attempts.at(pk):
                done += _pay_back_one(pk)
        paid += done
        if not done or time.monotonic() > stops_at:
            break  # Other workers are at them, or the next drain is.
    return paid


def _list_unpaid(left_out: Sequence[str]) -> list[int]:
    unpaid = DrawEntry.objects.filter(
        draw__state=FairDraw.State.CANCELED,
        # A draw without tickets has entries that nobody will ever be told of: they are not read.
        draw__entry_by=FairDraw.EntryBy.TICKET,
        told_at=None,
        ticket__isnull=False,
    )
    entries = unpaid.exclude(pk__in=left_out).order_by("draw_id", "pk")
    return list(entries.values_list("pk", flat=True)[:PAY_BACK_ENTRIES])


def _pay_back_one(pk: int) -> bool:
    """False when another worker is at it, or was."""
    with transaction.atomic():
        entry = (
            DrawEntry.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("draw", "ticket__benefit", "ticket__release")
            .filter(pk=pk, told_at=None)
            .first()
        )
        if entry is None:
            return False
        now = database_now()
        _pay_back(entry, now=now)
        DrawEntry.objects.filter(pk=pk).update(told_at=now)
        failpoint("ticket_before_paid_back")
    return True


def _pay_back(entry: DrawEntry, *, now: datetime) -> None:
    if entry.ticket is None:
        return
    try:
        revoke_claim(
            claim=entry.ticket,
            reason=DRAW_OFF,
            actor=f"draw:{entry.draw.public_id}",
            now=now,
            gives_credits_back=True,
        )
    except ClaimNotUsable:
        return  # It was taken away before, with what was given back then.
