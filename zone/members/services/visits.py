"""Trips to the wallet and back: begun with a state, ended once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from zone.members.errors import WalletReturnExpired, WalletReturnRefused
from zone.members.models import Binding, Member, Wallet, WalletVisit
from zone.members.wallets import connector_for
from zone.members.wallets.base import Answer

VISIT_MINUTES = 10
KEPT_HOURS = 24
_STATE_BYTES = 32
# How far a wallet's clock may run ahead of ours.
_CLOCK_SKEW_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Returned:
    """A return whose signature, wallet, purpose and age are right; not used up yet."""

    visit: WalletVisit
    answer: Answer


def new_browser_key() -> str:
    """A fresh key for the cookie that ties trips to the browser that set out."""
    return secrets.token_urlsafe(_STATE_BYTES)


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()


def begin_visit(
    *,
    wallet: Wallet,
    purpose: WalletVisit.Purpose,
    browser_key: str,
    now: datetime,
    next_path: str = "",
    facts: dict[str, Any] | None = None,
    member: Member | None = None,
    binding: Binding | None = None,
) -> str:
    """Write down a trip and give its state: 256 random bits, kept as a hash, good for ten minutes."""
    state = secrets.token_urlsafe(_STATE_BYTES)
    WalletVisit.objects.create(
        state_hash=_hash(state),
        browser_hash=_hash(browser_key),
        purpose=purpose,
        wallet=wallet,
        member=member,
        binding=binding,
        next_path=next_path,
        facts=facts or {},
        created_at=now,
        expires_at=now + timedelta(minutes=VISIT_MINUTES),
    )
    return state


def read_return(
    *,
    params: dict[str, str],
    purpose: WalletVisit.Purpose,
    browser_key: str,
    now: datetime,
) -> Returned:
    """Check everything about a return and change nothing.

    Raises WalletReturnExpired when its state is unknown, used, too old or another browser's, and
    WalletReturnRefused when the wallet did not sign it, or signed it for something else.
    """
    visit = (
        WalletVisit.objects.select_related("wallet", "member__wallet", "binding")
        .filter(
            state_hash=_hash(params.get("state", "")),
            browser_hash=_hash(browser_key),
            purpose=purpose,
            consumed_at__isnull=True,
            expires_at__gt=now,
        )
        .first()
    )
    if visit is None:
        raise WalletReturnExpired
    answer = connector_for(visit.wallet).read_return(wallet_code=visit.wallet_id, params=params)
    if answer.purpose != purpose:
        raise WalletReturnRefused
    oldest = now - timedelta(minutes=VISIT_MINUTES)
    if not oldest <= answer.at <= now + timedelta(seconds=_CLOCK_SKEW_SECONDS):
        raise WalletReturnRefused
    return Returned(visit, answer)


def consume_visit(visit: WalletVisit, now: datetime) -> None:
    """Use up a trip's state. Raises WalletReturnExpired for everyone but the first."""
    changed = WalletVisit.objects.filter(
        pk=visit.pk, consumed_at__isnull=True, expires_at__gt=now
    ).update(consumed_at=now)
    if changed == 0:
        raise WalletReturnExpired


def sweep_visits(now: datetime) -> int:
    """Forget trips that ended a day ago."""
    deleted, _ = WalletVisit.objects.filter(
        expires_at__lt=now - timedelta(hours=KEPT_HOURS)
    ).delete()
    return deleted
