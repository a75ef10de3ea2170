"""Telling many members at once: in batches that can be killed, stopped and never repeat themselves."""

from django.db import transaction
from django.db.models import Exists, OuterRef

from zone.core import clock
from zone.core.nudge import nudge
from zone.members.models import Consent, Member
from zone.notices.models import Announcement
from zone.notices.services import Message, write_notices

MEMBERS_PER_COMMIT = 500
State = Announcement.State


def send_announcement(*, announcement: Announcement, actor: str) -> bool:
    """From its hour on the worker tells everybody it is for. False when it was sent or stopped."""
    changed = Announcement.objects.filter(pk=announcement.pk, state=State.DRAFT).update(
        state=State.SENDING, sent_by=actor
    )
    if changed:
        nudge("zone.notices.tasks.send_announcements")
    return bool(changed)


def stop_announcement(*, announcement: Announcement) -> bool:
    """Nobody else is told. False when it was not being sent."""
    return bool(
        Announcement.objects.filter(pk=announcement.pk, state=State.SENDING).update(
            state=State.STOPPED, finished_at=clock.database_now()
        )
    )


def send_announcements(*, limit: int = MEMBERS_PER_COMMIT) -> int:
    """Tell the next batch of one announcement; says how many members were passed. 0 when done.

    Safe to kill, to repeat and to race: how far it got is written in the commit that tells, and a
    member has one notice of it. Who withdrew before their batch is not told.
    """
    now = clock.database_now()
    with transaction.atomic():
        current = (
            Announcement.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(state=State.SENDING, publish_at__lte=now)
            .order_by("publish_at", "pk")
            .first()
        )
        if current is None:
            return 0
        rows = list(_audience(current).values_list("pk", "may_be_told")[:limit])
        told = [key for key, may_be_told in rows if may_be_told]
        facts = {"title": current.titles, "body": current.bodies}
        key = f"announcement:{current.pk}"
        write_notices(
            [Message(member_id, "announcement", facts, current.link, key) for member_id in told],
            at=now,
        )
        current.told_count += len(told)
        current.last_member_id = rows[-1][0] if rows else current.last_member_id
        if len(rows) < limit:
            current.state, current.finished_at = State.SENT, now
        current.save(update_fields=["told_count", "last_member_id", "state", "finished_at"])
    return max(1, len(rows))


def _audience(announcement: Announcement):  # type: ignore[no-untyped-def]
    """Members still to be passed, in the order of their keys, and whether each may be told."""
    agreed = Consent.objects.filter(
        member=OuterRef("pk"), purpose=Consent.Purpose.MARKETING, withdrawn_at=None
    )
    members = Member.objects.filter(
        pk__gt=announcement.last_member_id,
        status=Member.Status.ACTIVE,
        first_signed_in_at__isnull=False,
    )
    if announcement.wallet_id:
        members = members.filter(wallet_id=announcement.wallet_id)
    if announcement.purpose == Announcement.Purpose.MARKETING:
        members = members.annotate(may_be_told=Exists(agreed))
    else:
        members = members.annotate(may_be_told=Exists(Member.objects.filter(pk=OuterRef("pk"))))
    return members.order_by("pk")
