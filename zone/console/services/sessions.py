"""An operator's working session: one at a time, 15 idle minutes, 8 hours at most.

OWASP ASVS 5.0, 7.3: an inactivity timeout and an absolute one. The times live in a row, so a
colleague can end a session and the row says how each one ended.
"""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from zone.console.models import OperatorSession

IDLE_FOR = timedelta(minutes=15)
WORKING_DAY = timedelta(hours=8)
# A password alone holds the door open this long, for the second factor.
PASSWORD_HOLDS_FOR = timedelta(minutes=10)
# The row is not written for every request of a busy page.
_SEEN_STEP = timedelta(seconds=20)

Ending = OperatorSession.Ending


def open_session(
    user: User, *, address: str | None, agent_family: str, now: datetime
) -> OperatorSession:
    """Start work: any other open session of this operator ends as replaced."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        end_sessions(user, ending=Ending.REPLACED, now=now)
        return OperatorSession.objects.create(
            user=user, started_at=now, seen_at=now, address=address, agent_family=agent_family
        )


def continue_session(
    session_id: int, *, user_id: int, agent_family: str, now: datetime
) -> OperatorSession | str:
    """The open session, marked as seen, or the word for how it ended (now, if it just did)."""
    session = OperatorSession.objects.filter(pk=session_id, user_id=user_id).first()
    if session is None:
        return str(Ending.SIGNED_OUT)
    if session.ended_at is not None:
        return session.ending
    if ending := _reason_to_end(session, agent_family=agent_family, now=now):
        OperatorSession.objects.filter(pk=session.pk, ended_at=None).update(
            ended_at=now, ending=ending
        )
        return str(ending)
    if now - session.seen_at > _SEEN_STEP:
        OperatorSession.objects.filter(pk=session.pk, ended_at=None).update(seen_at=now)
    return session


def end_sessions(user: User, *, ending: OperatorSession.Ending, now: datetime) -> int:
    """End every open session of this operator. Returns how many there were."""
    return OperatorSession.objects.filter(user=user, ended_at=None).update(
        ended_at=now, ending=ending
    )


def end_session(session: OperatorSession, *, ending: OperatorSession.Ending, now: datetime) -> bool:
    """End one session; False when it had ended already."""
    changed = OperatorSession.objects.filter(pk=session.pk, ended_at=None).update(
        ended_at=now, ending=ending
    )
    return changed == 1


def agent_family_of(user_agent: str) -> str:
    """Browser and system of a User-Agent header, without versions: "Chrome on Windows"."""
    browsers = ("Edg", "Firefox", "Chrome", "Safari")
    systems = ("Windows", "iPhone", "iPad", "Android", "Mac OS", "Linux")
    browser = next((name for name in browsers if name in user_agent), "Other")
    system = next((name for name in systems if name in user_agent), "other")
    return f"{browser} on {system}"


def _reason_to_end(
    session: OperatorSession, *, agent_family: str, now: datetime
) -> OperatorSession.Ending | None:
    if now - session.started_at > WORKING_DAY:
        return Ending.TOO_LONG
    if now - session.seen_at > IDLE_FOR:
        return Ending.IDLE
    if session.agent_family != agent_family:
        return Ending.MOVED
    return None
