"""A ticket's entry in its draw: in with its claim, out with it until entries close.

The claim itself puts it in (`tickets.sql`). Whatever else changes a ticket locks its draw first, in
the share that entries have, and then the claim: it comes before the close or after it.
"""

from datetime import datetime

from django.db import connection

from benefits.errors import RestoreRefused, TicketDrawn
from benefits.models import Claim, DrawEntry, FairDraw
from benefits.models.release import Fulfilment

State = FairDraw.State


def lock_draw_of(claim: Claim) -> FairDraw | None:
    """The draw of a ticket, not to be closed or drawn before the caller's commit.

    None for a claim that is no ticket.
    """
    if claim.mode != Fulfilment.DRAW:
        return None
    # The one that it entered, whatever is written on its benefit by now.
    entered = DrawEntry.objects.filter(ticket=claim).values_list("draw__public_id", flat=True)
    named = entered.first() or claim.benefit.detail["draw"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM benefits_fairdraw WHERE public_id = %s FOR KEY SHARE", [named]
        )
    return FairDraw.objects.get(public_id=named)


def find_close(claim: Claim, *, now: datetime) -> datetime | None:
    """Until when a ticket can leave its draw; None when its entry stays where it is."""
    entry = DrawEntry.objects.filter(ticket=claim).select_related("draw").first()
    if entry is None or entry.draw.phase_at(now) != "open":
        return None
    return entry.draw.entries_close_at


def leave_draw(claim: Claim, *, draw: FairDraw, now: datetime) -> None:
    """The ticket's entry is taken out. The caller holds the draw.

    Raises TicketDrawn when entries have closed: their list tells everyone who takes part.
    """
    if draw.phase_at(now) != "open":
        raise TicketDrawn()
    DrawEntry.objects.filter(draw=draw, ticket=claim).delete()


def drop_out(claim: Claim, *, draw: FairDraw) -> None:
    """The entry of a ticket that is taken away goes, or stays listed and cannot win any more."""
    if draw.state == State.OPEN:
        DrawEntry.objects.filter(draw=draw, ticket=claim).delete()


def join_again(claim: Claim, *, draw: FairDraw, now: datetime) -> None:
    """A ticket that is given back to its owner takes part again. The caller holds the draw.

    Raises RestoreRefused when the list was published without it, or it was passed over.
    """
    entry = DrawEntry.objects.filter(draw=draw, ticket=claim).first()
    if entry is None and draw.phase_at(now) == "open":
        DrawEntry.objects.create(draw=draw, member_id=claim.member_id, ticket=claim, entered_at=now)
    elif (
        entry is None
        or draw.state not in FairDraw.LIVE_STATES
        or entry.state != DrawEntry.State.ENTERED
    ):
        raise RestoreRefused()
