"""An operator's hand on a membership."""

import logging
from datetime import datetime

from django.db import transaction

from zone.core import clock
from zone.members.models import Member, MemberSession
from zone.members.services.partner_events import tell_of_suspension
from zone.members.services.sessions import end_all_sessions, end_session

logger = logging.getLogger(__name__)


def suspend_member(*, member: Member, actor: str, now: datetime) -> bool:
    """Pause a membership and sign it out everywhere. False when it was not active.

    Partners that know the member are told in the same commit, unless it was frozen: then they were.
    """
    with transaction.atomic():
        changed = Member.objects.filter(pk=member.pk, status=Member.Status.ACTIVE).update(
            status=Member.Status.SUSPENDED, updated_at=now
        )
        if not changed:
            return False
        ended = end_all_sessions(member=member, now=now)
        if not Member.objects.get(pk=member.pk).is_frozen:
            tell_of_suspension(member_id=member.pk, now=now)
    _log("member suspended", member, actor, sessions=ended)
    return True


def reactivate_member(*, member: Member, actor: str, now: datetime) -> bool:
    """Let a paused membership go on. False when it was not paused."""
    changed = Member.objects.filter(pk=member.pk, status=Member.Status.SUSPENDED).update(
        status=Member.Status.ACTIVE, updated_at=now
    )
    if changed:
        _log("member reactivated", member, actor)
    return bool(changed)


def set_frozen(*, member_id: int, at: datetime | None) -> None:
    """Let a member read only, from `at`; None lets them do everything again.

    Partners that know an active member are told of the first in the same commit: to them a frozen
    member is suspended. Must run inside a transaction.
    """
    now = clock.database_now()
    Member.objects.filter(pk=member_id).update(frozen_at=at, updated_at=now)
    is_active = Member.objects.filter(pk=member_id, status=Member.Status.ACTIVE).exists()
    if at is not None and is_active:
        tell_of_suspension(member_id=member_id, now=now)


def sign_out_everywhere(*, member: Member, actor: str, now: datetime) -> int:
    """End every session of a member. Returns how many there were."""
    ended = end_all_sessions(member=member, now=now)
    _log("sessions ended", member, actor, sessions=ended)
    return ended


def end_one_session(*, session: MemberSession, actor: str, now: datetime) -> bool:
    """End one session of a member. False when it had ended already."""
    ended = end_session(member=session.member, session_id=session.pk, now=now)
    if ended:
        _log("sessions ended", session.member, actor, sessions=1)
    return ended


def _log(what: str, member: Member, actor: str, **facts: object) -> None:
    logger.info(what, extra={"member": member.public_id, "actor": actor, **facts})
