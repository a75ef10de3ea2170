"""A member's consents: given per purpose and version, withdrawn as easily."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from zone.members.models import Consent, Member

POLICY_VERSION = "2026-11-01"
# Agreed to by the one box at sign-in, which names each of them; the rest has boxes of its own.
BASIC_PURPOSES = (
    Consent.Purpose.ACCOUNT,
    Consent.Purpose.TRANSACTIONS,
    Consent.Purpose.CREDITS,
)


def give_consents(
    *,
    member: Member,
    purposes: Iterable[str],
    language: str,
    evidence: dict[str, Any],
    now: datetime,
    policy_version: str = POLICY_VERSION,
) -> None:
    """The member agrees to these purposes under this policy version.

    A consent to the same version stands as it is; one to an older version is closed and written
    anew. Safe to repeat and to race: the member's row is locked meanwhile.
    """
    with transaction.atomic():
        Member.objects.select_for_update().get(pk=member.pk)
        open_consents = {
            consent.purpose: consent
            for consent in member.consents.filter(withdrawn_at__isnull=True)
        }
        for purpose in purposes:
            standing = open_consents.get(purpose)
            if standing and standing.policy_version == policy_version:
                continue
            if standing:
                standing.withdrawn_at = now
                standing.save(update_fields=["withdrawn_at"])
            Consent.objects.create(
                member=member,
                purpose=purpose,
                policy_version=policy_version,
                language=language,
                given_at=now,
                evidence=evidence,
            )


def withdraw_consent(*, member: Member, purpose: str, now: datetime) -> bool:
    """The member takes a consent back. False when there is none; safe to repeat."""
    return bool(
        member.consents.filter(purpose=purpose, withdrawn_at__isnull=True).update(withdrawn_at=now)
    )


def has_consent(*, member: Member, purpose: str) -> bool:
    """Whether the member agrees to this purpose now."""
    return member.consents.filter(purpose=purpose, withdrawn_at__isnull=True).exists()
