"""Fair draws as members and strangers see them."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from benefits import rules, verify_drop
from benefits.models import Benefit, Claim, DrawEntry, FairDraw
from benefits.models.kinds import DRAW_TICKET
from benefits.models.release import Fulfilment
from benefits.queries.verdicts import get_member_refusal
from zone.core.errors import NotFound, ZoneError
from zone.members.models import Member

# From so many on a count is kept, for so long.
COUNTED_ANEW_MAX = 10_000
COUNTED_SECONDS = 5.0
_COUNTED_MAX = 500
_counted: dict[int, tuple[float, int]] = {}


@dataclass(frozen=True, slots=True)
class DrawView:
    """A draw at one instant: its phase, how many entered, and what the member's own entries are."""

    draw: FairDraw
    phase: str  # coming, open, closing, closed, drawing, done, canceled
    entry_count: int
    entries: tuple[DrawEntry, ...]  # the member's own, those that won first
    ticket_slug: str  # of the benefit whose claim is an entry; empty where one simply enters

    @property
    def entry(self) -> DrawEntry | None:
        """The member's own that went best."""
        return self.entries[0] if self.entries else None

    @property
    def odds_one_in(self) -> float | None:
        """One in so many wins, as things stand; None while nobody entered."""
        if not self.entry_count:
            return None
        return max(self.entry_count / self.draw.winners_max, 1.0)

    @property
    def odds_percent(self) -> int:
        """So many in a hundred entries win, where more than half of them do; else 0."""
        odds = self.odds_one_in
        return min(round(100 / odds), 99) if odds is not None and 1 < odds < 2 else 0


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
        entry_count=draw.entry_count if is_counted else _count_entries(draw),
        entries=_own_entries(draw, member) if member is not None else (),
        ticket_slug=_find_ticket_slug(draw, member, now=now),
    )


def _count_entries(draw: FairDraw) -> int:
    """How many entered; of very many as of some seconds ago, for each look would count them all."""
    until, count = _counted.get(draw.pk, (0.0, 0))
    if until > time.monotonic():
        return count
    count = draw.entries.count()
    if count >= COUNTED_ANEW_MAX:
        if len(_counted) >= _COUNTED_MAX:
            _counted.clear()
        _counted[draw.pk] = (time.monotonic() + COUNTED_SECONDS, count)
    return count


_BEST_FIRST = [
    DrawEntry.State.WON,
    DrawEntry.State.ENTERED,
    DrawEntry.State.PASSED,
    DrawEntry.State.LOST,
]


def _own_entries(draw: FairDraw, member: Member) -> tuple[DrawEntry, ...]:
    found = draw.entries.filter(member=member).select_related("claim", "ticket")
    return tuple(sorted(found, key=lambda entry: (_BEST_FIRST.index(entry.state), entry.pk)))  # type: ignore[arg-type]


def _find_ticket_slug(draw: FairDraw, member: Member | None, *, now: datetime) -> str:
    """Where a ticket of the draw is to be had, by members of one's own wallet."""
    if draw.entry_by != FairDraw.EntryBy.TICKET:
        return ""
    tickets = Benefit.objects.listed(now).filter(kind=DRAW_TICKET, detail__draw=draw.public_id)
    if member is not None:
        tickets = tickets.filter(Q(wallets=[]) | Q(wallets__contains=[member.wallet_id]))
    return tickets.order_by("sort_weight", "pk").values_list("slug", flat=True).first() or ""


def read_ticket_draws(benefits: Iterable[Benefit]) -> dict[int, FairDraw]:
    """The draw that each ticket among these benefits is for; one query, none without a ticket."""
    named = {
        benefit.pk: benefit.detail.get("draw", "")
        for benefit in benefits
        if benefit.kind == DRAW_TICKET
    }
    if not named:
        return {}
    draws = {
        draw.public_id: draw
        for draw in FairDraw.objects.filter(public_id__in=named.values())
        .select_related("release__benefit")
        .prefetch_related("release__benefit__texts")
    }
    return {pk: draws[name] for pk, name in named.items() if name in draws}


def find_ticket_refusal(*, member: Member, benefit: Benefit, now: datetime) -> ZoneError | None:
    """Why this member cannot have a ticket: no entry is taken, or the prize is not open to them."""
    draw = read_ticket_draws([benefit]).get(benefit.pk)
    if refusal := rules.find_entry_refusal(draw, now=now):
        return refusal
    assert draw is not None  # noqa: S101  Without one there is a refusal.
    return get_member_refusal(member=member, benefit=draw.release.benefit, now=now)


def list_enterable_draws(*, now: datetime) -> list[FairDraw]:
    """Draws that take, or will take, entries by ticket; the next one to close first."""
    return list(
        FairDraw.objects.filter(
            state=FairDraw.State.OPEN,
            entry_by=FairDraw.EntryBy.TICKET,
            entries_close_at__gt=now,
        )
        .select_related("release__benefit")
        .prefetch_related("release__benefit__texts")
        .order_by("entries_close_at")
    )


def find_entry_of(claim: Claim) -> DrawEntry | None:
    """The entry that a ticket is, with its draw and what it won."""
    if claim.mode != Fulfilment.DRAW:
        return None
    return (
        DrawEntry.objects.filter(ticket=claim)
        .select_related("draw__release__benefit", "claim")
        .prefetch_related("draw__release__benefit__texts")
        .first()
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
