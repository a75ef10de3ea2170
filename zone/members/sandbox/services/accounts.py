"""The sandbox wallet's people: found, made, and known by single-use codes."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from zone.core import vault
from zone.members.models import Wallet
from zone.members.sandbox.models import SandboxAccount, SandboxAuthCode

AUTH_CODE_MINUTES = 10
_PURPOSE = "sandbox-user"
_CODE_BYTES = 24


def _index(wallet_code: str, user_id: str) -> bytes:
    return vault.blind_index(_PURPOSE, f"{wallet_code}:{user_id}")


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def user_id_of(account: SandboxAccount) -> str:
    """The id under which this wallet reports the account to others."""
    return vault.unwrap(account.user_sealed, purpose=_PURPOSE).decode()


def find_account(*, wallet_code: str, user_id: str) -> SandboxAccount | None:
    """The account of that id, or None."""
    return SandboxAccount.objects.filter(
        wallet_code=wallet_code, user_index=_index(wallet_code, user_id)
    ).first()


def ensure_account(
    *,
    wallet: Wallet,
    user_id: str = "",
    display_name: str = "",
    language: str = "",
    is_adult: bool = True,
    storefront: str = "",
    note: str = "",
) -> SandboxAccount:
    """The account called `user_id` in this wallet, made now if there is none.

    Without `user_id` a new person gets a fresh one. Safe to repeat.
    """
    user_id = user_id or f"2088{secrets.randbelow(10**12):012d}"
    if found := find_account(wallet_code=wallet.code, user_id=user_id):
        return found
    try:
        with transaction.atomic():
            return SandboxAccount.objects.create(
                wallet_code=wallet.code,
                user_index=_index(wallet.code, user_id),
                user_sealed=vault.wrap(user_id.encode(), purpose=_PURPOSE),
                last_four=user_id[-4:],
                display_name=display_name or f"Test {user_id[-4:]}",
                storefront=storefront or wallet.storefront,
                language=language or wallet.default_language,
                is_adult=is_adult,
                note=note,
            )
    except IntegrityError:
        return SandboxAccount.objects.get(
            wallet_code=wallet.code, user_index=_index(wallet.code, user_id)
        )


def issue_auth_code(*, account: SandboxAccount, now: datetime) -> str:
    """A code that trades once for this account's identity, within ten minutes."""
    code = secrets.token_urlsafe(_CODE_BYTES)
    SandboxAuthCode.objects.filter(expires_at__lt=now).delete()
    SandboxAuthCode.objects.create(
        code_hash=_hash(code),
        account=account,
        expires_at=now + timedelta(minutes=AUTH_CODE_MINUTES),
    )
    return code


def use_auth_code(*, wallet_code: str, code: str, now: datetime) -> SandboxAccount | None:
    """The account behind a code, the first time it is asked; None ever after."""
    codes = SandboxAuthCode.objects.filter(code_hash=_hash(code))
    if not codes.filter(account__wallet_code=wallet_code).exists():
        return None
    # By the code's own columns: with a join, the row is looked for as it was when the statement
    # began, and of several at one instant each would find the code unused.
    if codes.filter(used_at__isnull=True, expires_at__gt=now).update(used_at=now) == 0:
        return None
    return codes.select_related("account").get().account
