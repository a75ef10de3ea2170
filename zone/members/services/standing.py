"""An operator's hand on a membership."""

import logging
from datetime import datetime

from zone.members.models import Member, MemberSession
from zone.members.services.sessions import end_all_sessions, end_session

logger = logging.getLogger(__name__)


def suspend_member(*, member: Member, actor: str, now: datetime) -> bool:
    """Pause a membership and sign it out everywhere. False when it was not active."""
    changed = Member.objects.filter(pk=member.pk, status=Member.Status.ACTIVE).update(
        status=Member.Status.SUSPENDED, updated_at=now
    )
    if changed:
        ended = end_all_sessions(member=member, now=now)
        _log("member suspended", member, actor, sessions=ended)
    return bool(changed)


def reactivate_member(*, member: Member, actor: str, now: datetime) -> bool:
    """Let a paused membership go on. False when it was not paused."""
    changed = Member.objects.filter(pk=member.pk, status=Member.Status.SUSPENDED).update(
        status=Member.Status.ACTIVE, updated_at=now
    )
    if changed:
        _log("member reactivated", member, actor)
    return bool(changed)


def set_frozen(*, member_id: int, at: datetime | None) -> None:
    """Let a member read only, from `at`; None lets them do everything again."""
    Member.objects.filter(pk=member_id).update(frozen_at=at)


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
