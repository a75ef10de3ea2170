"""Waiting in line for a sold-out release: join, leave, and offers that pass on."""

from datetime import datetime

from django.db import transaction

from benefits import claim_sql, errors
from benefits.models import Release, WaitlistEntry
from benefits.models.claim import COUNTED
from benefits.services.claims import refuse_unless_eligible
from zone.core.clock import database_now
from zone.core.stuck import Attempts
from zone.members.models import Member
from zone.notices.services import write_notice

SWEEP_BATCH_ROWS = 500


def join_waitlist(*, member: Member, release: Release, now: datetime) -> None:
    """The member waits at the end of the line. Safe to repeat: one place each.

    Raises StillInStock when nobody needs to wait, LimitReached for whoever has all they may have,
    and what a claim would be refused with.
    """
    refuse_unless_eligible(member=member, release=release, now=now)
    if member.claims.filter(COUNTED, release=release).count() >= release.per_member:
        raise errors.LimitReached(limit=release.per_member)
    with transaction.atomic():
        if claim_sql.join_line(release_id=release.pk, member_id=member.pk) == "not_sold_out":
            raise errors.StillInStock()


def leave_waitlist(*, member: Member, release: Release, now: datetime) -> bool:
    """The member's place ends. An offer they had goes to the next one in the same commit.

    What is held for a gift with friends is no place in line: that one is called off.
    """
    entry = WaitlistEntry.objects.filter(
        member=member,
        release=release,
        state__in=WaitlistEntry.OPEN_STATES,
        group_gift=None,
    ).first()
    if entry is None:
        return False
    is_offered = entry.state == WaitlistEntry.State.OFFERED
    state = WaitlistEntry.State.DECLINED if is_offered else WaitlistEntry.State.LEFT
    with transaction.atomic():
        return claim_sql.end_place(entry_id=entry.pk, state=state, now=now)


def tend_lines() -> int:
    """Let offers pass on whose time is over, and tell everybody who has a new one.

    Safe to kill and to run twice: the rows remember. Returns how many places ended.
    """
    ended = 0
    while swept := claim_sql.sweep_line(limit=SWEEP_BATCH_ROWS):
        ended += swept
    tell_of_offers(now=database_now())
    return ended


def tell_of_offers(*, now: datetime) -> int:
    """A notice for each offer nobody was told of. Once each, by its dedupe key."""
    attempts = Attempts("waitlist_offers")
    offers = (
        WaitlistEntry.objects.filter(
            state=WaitlistEntry.State.OFFERED, told_at=None, offered_until__gt=now
        )
        .exclude(pk__in=attempts.left_out)
        .select_related("release__benefit")
        .prefetch_related("release__benefit__texts")
        .order_by("offered_until")[:SWEEP_BATCH_ROWS]
    )
    told = 0
    for entry in offers:
        with attempts.at(entry.pk):
            _tell_of_offer(entry, now=now)
            told += WaitlistEntry.objects.filter(pk=entry.pk, told_at=None).update(told_at=now)
    return told


def _tell_of_offer(entry: WaitlistEntry, *, now: datetime) -> None:
    benefit, until = entry.release.benefit, entry.offered_until
    write_notice(
        member_id=entry.member_id,
        kind="waitlist_offer",
        facts={
            "title": {text.language: text.title for text in benefit.texts.all()},
            "valid_until": until.isoformat() if until else "",
        },
        link=f"/benefits/{benefit.slug}",
        dedupe_key=f"waitlist_offer:{entry.pk}",
        at=now,
    )
