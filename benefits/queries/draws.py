"""Fair draws as members and strangers see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benefits import verify_drop
from benefits.models import DrawEntry, FairDraw
from zone.core.errors import NotFound
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class DrawView:
    """A draw at one instant: its phase, how many entered, and what the member's own entry is."""

    draw: FairDraw
    phase: str  # coming, open, closing, closed, drawing, done, canceled
    entry_count: int
    entry: DrawEntry | None

    @property
    def odds_one_in(self) -> float | None:
        """One in so many wins, as things stand; None while nobody entered."""
        if not self.entry_count:
            return None
        return max(self.entry_count / self.draw.winners_max, 1.0)


def get_draw(public_id: str) -> FairDraw:
    """Raises NotFound."""
    draw = (
        FairDraw.objects.select_related("release__benefit")
        .prefetch_related("release__benefit__texts")
        .filter(public_id=public_id)
        .first()
    )
    if draw is None:
        raise NotFound()
    return draw


def view_draw(draw: FairDraw, *, member: Member | None, now: datetime) -> DrawView:
    """The draw as `member`, or a stranger, sees it at `now`."""
    is_counted = bool(draw.entries_root)
    return DrawView(
        draw=draw,
        phase=draw.phase_at(now),
        entry_count=draw.entry_count if is_counted else draw.entries.count(),
        entry=draw.entries.filter(member=member).select_related("claim").first()
        if member is not None
        else None,
    )


def prove_draw(draw: FairDraw) -> dict[str, Any]:
    """What is public of a draw by now, as `verify_drop.py` reads it.

    Entries are known by ids that tell nobody else whose they are.
    """
    proof: dict[str, Any] = {
        "format": verify_drop.FORMAT,
        "state": draw.state,
        "terms": draw.terms,
        "commitment": draw.commitment,
    }
    if draw.entries_root:
        entries = draw.entries.order_by("public_id").values_list("public_id", flat=True)
        proof |= {"entries_root": draw.entries_root, "entries": list(entries)}
    if draw.secret:
        proof |= {"secret": draw.secret, "beacon": draw.beacon, "seed": draw.seed}
        drawn = draw.entries.order_by("rank")
        proof["winners"] = list(
            drawn.filter(state=DrawEntry.State.WON).values_list("public_id", flat=True)
        )
        proof["passed"] = [
            {"entry": entry, "reason": reason}
            for entry, reason in drawn.filter(state=DrawEntry.State.PASSED).values_list(
                "public_id", "reason"
            )
        ]
    return proof
