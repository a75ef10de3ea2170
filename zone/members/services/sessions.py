"""Signed-in devices: opened at sign-in, read on each page, ended one at a time or all at once."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core import signing
from django.db.models import Q

from zone.core import clock
from zone.core.rows import RowReader, fetch_row
from zone.members.models import Member, MemberSession, Wallet

IDLE_DAYS = 30
ABSOLUTE_DAYS = 180
# A page view writes nothing; an hour's silence moves the idle limit once.
REFRESH_AFTER_SECONDS = 3600
_TOKEN_BYTES = 32
_SALT = "zone.members.session"


@dataclass(frozen=True, slots=True)
class OpenedSession:
    session: MemberSession
    # The cookie's value. Only its hash is kept, so it cannot be read back later.
    cookie: str


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def open_session(
    *, member: Member, now: datetime, host: str = "browser", device: str = ""
) -> OpenedSession:
    """A new session of `member`, with a new random token: 30 days idle, 180 days at most."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session = MemberSession.objects.create(
        member=member,
        token_hash=_hash(token),
        created_at=now,
        seen_at=now,
        idle_until=now + timedelta(days=IDLE_DAYS),
        expires_at=now + timedelta(days=ABSOLUTE_DAYS),
        host=host[:16],
        device=device[:120],
    )
    return OpenedSession(session, signing.Signer(salt=_SALT).sign(token))


_SESSION, _MEMBER, _WALLET = RowReader(MemberSession), RowReader(Member), RowReader(Wallet)
SESSION_COLUMNS = ", ".join(
    [_SESSION.columns("session"), _MEMBER.columns("member"), _WALLET.columns("wallet")]
)
SESSION_WIDTH = _SESSION.width + _MEMBER.width + _WALLET.width
# Whoever reads a session together with something else joins it like this.
SESSION_JOIN = """
    members_membersession session
    JOIN members_member member ON member.id = session.member_id
    JOIN members_wallet wallet ON wallet.code = member.wallet_id
"""
_FIND = f"SELECT {SESSION_COLUMNS} FROM {SESSION_JOIN} WHERE session.token_hash = %s::bytea"  # noqa: S608


def hash_of_cookie(cookie: str | None) -> bytes | None:
    """What a session is found by; None for a cookie that we did not sign."""
    if not cookie:
        return None
    try:
        token = _signer(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).unsign(cookie)
    except signing.BadSignature:
        return None
    return _hash(token)


@lru_cache(maxsize=2)
def _signer(key: str, *fallbacks: str) -> signing.Signer:
    return signing.Signer(salt=_SALT, key=key, fallback_keys=fallbacks)


def build_session(row: Sequence[Any]) -> MemberSession | None:
    """The open session of a row with `SESSION_COLUMNS`, its member and wallet in it.

    None when it has ended; sessions of suspended and erased members count as ended.
    """
    session = _SESSION.build(row[: _SESSION.width])
    session.member = _MEMBER.build(row[_SESSION.width : _SESSION.width + _MEMBER.width])
    session.member.wallet = _WALLET.build(row[-_WALLET.width :])
    if not session.is_open(clock.now()) or not session.member.may_sign_in:
        return None
    return session


def find_session(cookie: str | None) -> MemberSession | None:
    """The open session behind a cookie, with its member and wallet, in one query.

    A cookie that we did not sign costs no query.
    """
    token_hash = hash_of_cookie(cookie)
    if token_hash is None:
        return None
    row = fetch_row(_FIND, [token_hash])
    return None if row is None else build_session(row)


def refresh_session(session: MemberSession, now: datetime) -> None:
    """Move the idle limit on, at most once an hour. Never beyond the absolute limit."""
    if (now - session.seen_at).total_seconds() < REFRESH_AFTER_SECONDS:
        return
    idle_until = min(now + timedelta(days=IDLE_DAYS), session.expires_at)
    MemberSession.objects.filter(pk=session.pk, revoked_at__isnull=True, seen_at__lt=now).update(
        seen_at=now, idle_until=idle_until
    )


def end_session(*, member: Member, session_id: int, now: datetime) -> bool:
    """End one session of `member`. False when it is not theirs or has ended already."""
    changed = MemberSession.objects.filter(
        pk=session_id, member=member, revoked_at__isnull=True
    ).update(revoked_at=now)
    return bool(changed)


def end_all_sessions(*, member: Member, now: datetime, keep: int | None = None) -> int:
    """End every session of `member`, but for the one called `keep`. Returns how many ended."""
    sessions = MemberSession.objects.filter(member=member, revoked_at__isnull=True)
    if keep is not None:
        sessions = sessions.exclude(pk=keep)
    return sessions.update(revoked_at=now)


def list_open_sessions(*, member: Member, now: datetime) -> list[MemberSession]:
    """The member's open sessions, last used first."""
    return list(
        MemberSession.objects.filter(
            Q(idle_until__gt=now), Q(expires_at__gt=now), member=member, revoked_at__isnull=True
        ).order_by("-seen_at")
    )
