"""Being told: a member asks once, and hears once, when a benefit can be theirs.

Each look asks what a tap on the card would do, so what is told is what a claim would find. Row and
notice are one commit; several workers may look, and any of them may die.
"""

import time
from datetime import datetime, timedelta

from django.db import connection, transaction

from benefits import queries
from benefits.conditions.snapshot import take_snapshot
from benefits.errors import (
    BudgetExhausted,
    Ended,
    NotEnoughCredits,
    QuotaReached,
    RuleNotMet,
    SliceSoldOut,
    WishRefused,
)
from benefits.models import Benefit, Wish
from benefits.queries import Card
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.stuck import Attempts
from zone.members.models import Member
from zone.notices.services import write_notice

# So long before it opens: enough to be there, short enough not to be forgotten.
AHEAD = timedelta(minutes=10)
# What no trigger told us of (see `sql/wishes.sql` and `sql/wish_calls.sql`) is seen after so long.
FALLBACK = timedelta(hours=24)
# A change that was under way while the wish was made is seen by the second look.
SECOND_LOOK = timedelta(minutes=1)
BATCH_ROWS = 50
WAKE_ROWS = 2_000
# Of one benefit that changed so many are woken before others have their turn.
CALL_ROWS = 500
CALLS_MAX = 20
# One drain ends well before its task's time limit; the next one goes on.
DRAIN_SECONDS_MAX = 45

State = Wish.State


def make_wish(*, member: Member, benefit: Benefit, now: datetime) -> None:
    """The member is told when they can have the benefit. Safe to repeat: one open wish each.

    Raises WishRefused for what they can have now, have, or can never have.
    """
    card = queries.read_card(benefit, member, now=now)
    if not card.is_wishable:
        raise WishRefused()
    Wish.objects.bulk_create(
        [Wish(member=member, benefit=benefit, looked_at=now, looks_at=now + SECOND_LOOK)],
        ignore_conflicts=True,
    )


def drop_wish(*, member: Member, benefit: Benefit, now: datetime) -> bool:
    """The member wants to hear nothing of it. False when there was no open wish."""
    return bool(
        Wish.objects.filter(member=member, benefit=benefit, state=State.OPEN).update(
            state=State.DROPPED, looks_at=None, ended_at=now
        )
    )


def drain_wishes() -> int:
    """Look at what is due, at whom something happened to, and at whom a benefit changed for.

    Returns how many were told.
    """
    told, stops_at = 0, time.monotonic() + DRAIN_SECONDS_MAX
    while True:
        calls = _wake()
        while True:
            looked, told_now = _look_at_batch()
            told += told_now
            if time.monotonic() > stops_at:
                return told
            if looked < BATCH_ROWS:
                break
        if not calls:
            return told


def _wake() -> int:
    """Make due what may have another answer now. Returns how many benefits' calls were served."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT benefits_wake_wishes(%s)", [WAKE_ROWS])
        cursor.execute("SELECT benefits_answer_calls(%s, %s)", [CALLS_MAX, CALL_ROWS])
        (calls,) = cursor.fetchone()
    return int(calls)


def _look_at_batch() -> tuple[int, int]:
    """How many wishes were looked at, and how many members were told."""
    attempts, now = Attempts("wishes"), database_now()
    with transaction.atomic():
        due = (
            Wish.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
            .filter(state=State.OPEN, looks_at__lte=now)
            .exclude(pk__in=attempts.left_out)
            .select_related("benefit", "member__wallet")
            .order_by("looks_at")[:BATCH_ROWS]
        )
        looked = told = 0
        for wish in due:
            looked += 1
            with attempts.at(wish.pk):
                told += _look(wish, now=now)
        failpoint("wishes_before_commit")
    return looked, told


def _look(wish: Wish, *, now: datetime) -> bool:
    """Tell the member, end the wish, or say when to look again. True when they were told."""
    card = queries.read_card(wish.benefit, wish.member, now=now)
    needed = _needs(wish)
    wish.looked_at = now
    wish.needs_credits, wish.needs_claims = None, False
    wish.needs_units = card.state == "sold_out" or isinstance(
        card.refusal, QuotaReached | SliceSoldOut | BudgetExhausted
    )
    if kind := _news(card, now=now):
        _tell(wish, card, kind, now=now)
        _end(wish, State.TOLD, now=now)
        return True
    if card.state == "owned" or isinstance(card.refusal, Ended):
        _end(wish, State.OVER, now=now)
    else:
        wish.looks_at = _next_look(wish, card, now=now)
        if _needs(wish) != needed:
            # What happened while this was being noted did not know that it is waited for.
            wish.looks_at = min(wish.looks_at, now + SECOND_LOOK)
    wish.save(
        update_fields=[
            "state", "looked_at", "looks_at", "needs_credits", "needs_claims", "needs_units",
            "ended_at",
        ]
    )  # fmt: skip
    return False


def _needs(wish: Wish) -> tuple[int | None, bool, bool]:
    return wish.needs_credits, wish.needs_claims, wish.needs_units


def _end(wish: Wish, state: str, *, now: datetime) -> None:
    wish.state, wish.looks_at, wish.ended_at = state, None, now
    wish.save(update_fields=["state", "looked_at", "looks_at", "ended_at"])


def _news(card: Card, *, now: datetime) -> str:
    """The kind of notice that is true of this card, or nothing."""
    if card.state == "claimable" or (card.state == "draw" and card.draw_phase == "open"):
        return "benefit_ready"
    if card.state == "not_yet" and card.opens_at and card.opens_at - now <= AHEAD:
        return "benefit_opening"
    return ""


def _next_look(wish: Wish, card: Card, *, now: datetime) -> datetime:
    """When the answer may be another one; what may make it so earlier is noted in the wish."""
    moments = [now + FALLBACK]
    if card.opens_at is not None:
        moments.append(card.opens_at - AHEAD)
    refusal = card.refusal
    if isinstance(refusal, NotEnoughCredits):
        wish.needs_credits = card.price_credits
    elif isinstance(refusal, RuleNotMet):
        rule = queries.whole_rule(wish.benefit, queries.current_tree(wish.benefit))
        wish.needs_claims = "claims" in rule.sources
        snapshot = take_snapshot(wish.member, sources=rule.sources, now=now)
        if (at := rule.changes_at(snapshot)) is not None:
            moments.append(at)
    if refusal is not None and (again_at := refusal.facts.get("again_at")):
        moments.append(again_at)
    # Never at once again: what is true a second from now is news a second from now.
    return max(min(moments), now + timedelta(seconds=1))


def _tell(wish: Wish, card: Card, kind: str, *, now: datetime) -> None:
    write_notice(
        member_id=wish.member_id,
        kind=kind,
        facts={
            "title": {text.language: text.title for text in card.benefit.texts.all()},
            "opens_at": card.opens_at.isoformat() if card.opens_at else "",
        },
        link=f"/benefits/{wish.benefit.slug}",
        dedupe_key=f"wish:{wish.pk}",
        at=now,
    )
