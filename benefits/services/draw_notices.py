"""Telling everyone how it went for them, and settling their tickets, when a draw is done."""

from collections.abc import Sequence
from functools import partial

from django.db.models import Count

from benefits.models import DrawEntry, FairDraw
from benefits.services.ticket_endings import is_paid_back, settle_tickets
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.stuck import together_or_alone
from zone.notices.services import Message, write_notices

TELL_ENTRIES = 500


def tell_some(draw: FairDraw) -> int:
    """Tell some who were not told how it went for them. Once each, in the commit that says so.

    Whoever had tickets is told of each that won, or once that none did. A ticket that cannot be
    settled keeps nobody else waiting.
    """
    return together_or_alone(
        "draw_entries",
        take=partial(_take_untold, draw),
        do=partial(_tell, draw),
        key=lambda entry: entry.pk,
        limit=TELL_ENTRIES,
    )


def _take_untold(draw: FairDraw, limit: int, left_out: list[str]) -> list[DrawEntry]:
    return list(
        draw.entries.select_for_update(skip_locked=True, of=("self",))
        .filter(told_at=None)
        .exclude(pk__in=left_out)
        .select_related("claim", "ticket__benefit", "ticket__release", "draw")
        .order_by("id")[:limit]
    )


def _tell(draw: FairDraw, entries: list[DrawEntry]) -> None:
    now = database_now()
    write_notices(_messages(draw, entries))
    settle_tickets(draw, entries, now=now)
    DrawEntry.objects.filter(pk__in=[entry.pk for entry in entries]).update(told_at=now)
    failpoint("draw_before_told")


def _messages(draw: FairDraw, entries: Sequence[DrawEntry]) -> list[Message]:
    title = {text.language: text.title for text in draw.release.benefit.texts.all()}
    holders = {entry.member_id for entry in entries if entry.ticket_id is not None}
    tickets = dict(
        draw.entries.filter(member_id__in=holders)
        .values_list("member_id")
        .annotate(count=Count("id"))
    )
    lucky = set(
        draw.entries.filter(member_id__in=holders, state=DrawEntry.State.WON).values_list(
            "member_id", flat=True
        )
    )
    return [
        Message(
            member_id=entry.member_id,
            kind="draw_won" if entry.claim else "draw_lost",
            facts={
                "title": title,
                "reason": entry.reason,
                "entries": draw.entry_count,
                "tickets": tickets.get(entry.member_id, 0),
            },
            link=f"/me/benefits/{entry.claim.public_id}"
            if entry.claim
            else f"/draws/{draw.public_id}",
            dedupe_key=_key_of(entry),
        )
        for entry in entries
        # Of a ticket that is paid back its owner is told just that.
        if entry.claim or not (entry.member_id in lucky or is_paid_back(entry))
    ]


def _key_of(entry: DrawEntry) -> str:
    """One for each entry that won or was asked for; of tickets that did not win, one for all."""
    if entry.ticket_id is None or entry.claim_id is not None:
        return f"draw:{entry.pk}"
    return f"draw:{entry.draw_id}:{entry.member_id}"
