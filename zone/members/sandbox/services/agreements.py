"""The sandbox wallet's agreements: signed, paused, ended. Its own word is final here."""

import secrets
from datetime import datetime

from django.db import IntegrityError, transaction

from zone.members.sandbox.models import SandboxAccount, SandboxAgreement

_NUMBER_DIGITS = 20


class UnbindingNotAllowed(Exception):
    """Apple's side says the person may not unbind now."""


def find_open_agreement(account: SandboxAccount) -> SandboxAgreement | None:
    """The account's agreement that is on or paused, or None."""
    return account.agreements.exclude(status=SandboxAgreement.Status.UNSIGN).first()


def find_agreement(account: SandboxAccount, agreement_no: str) -> SandboxAgreement | None:
    """The agreement of that number, ended ones included; without a number the open one."""
    if not agreement_no:
        return find_open_agreement(account)
    return account.agreements.filter(agreement_no=agreement_no).first()


def sign_agreement(
    *,
    account: SandboxAccount,
    now: datetime,
    external_agreement_no: str = "",
    agreement_no: str = "",
    apple_account: str = "",
) -> SandboxAgreement:
    """An open agreement of this account; the one there is, if there is one.

    A test person has one Apple account of their own unless another one is named.
    """
    if found := find_open_agreement(account):
        return found
    try:
        with transaction.atomic():
            return SandboxAgreement.objects.create(
                account=account,
                agreement_no=agreement_no or _new_number(now),
                external_agreement_no=external_agreement_no,
                apple_account=apple_account or f"apple-{account.public_id}",
                signed_at=now,
                changed_at=now,
            )
    except IntegrityError:
        return account.agreements.exclude(status=SandboxAgreement.Status.UNSIGN).get()


def change_agreement(
    *, agreement: SandboxAgreement, status: SandboxAgreement.Status, now: datetime
) -> SandboxAgreement:
    """Pause, resume or end an agreement. An ended one stays ended; safe to repeat."""
    (
        SandboxAgreement.objects.filter(pk=agreement.pk)
        .exclude(status__in=[SandboxAgreement.Status.UNSIGN, status])
        .update(status=status, changed_at=now)
    )
    agreement.refresh_from_db()
    return agreement


def end_agreement(*, agreement: SandboxAgreement, now: datetime) -> SandboxAgreement:
    """End an agreement after asking Apple's side. Raises UnbindingNotAllowed; safe to repeat."""
    is_open = agreement.status != SandboxAgreement.Status.UNSIGN
    if is_open and not agreement.account.allows_unbinding:
        raise UnbindingNotAllowed(agreement.agreement_no)
    return change_agreement(agreement=agreement, status=SandboxAgreement.Status.UNSIGN, now=now)


def _new_number(now: datetime) -> str:
    return f"{now:%Y}{secrets.randbelow(10 ** (_NUMBER_DIGITS - 4)):0{_NUMBER_DIGITS - 4}d}"
