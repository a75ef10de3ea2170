"""Asking wallets what became of the vouchers that they keep for our members, a few at a time.

A voucher gateway has no list that could be fetched; it answers for one voucher. So each has its
turn, the one that was asked about longest ago first, and what the wallet says stands beside our
claim like a line of a statement.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db import connection

from benefits.models import Claim, ProviderConfig, ProviderStatementLine
from benefits.providers.base import (
    Canceled,
    Issued,
    NeverAsked,
    Refused,
    Unknown,
    Used,
)
from benefits.providers.registry import ProviderClosed, open_provider
from benefits.services.asking import Answer, to_be_asked
from benefits.services.provider_messages import note_use
from benefits.services.statements import call_for_differences
from benefits.verify_vouchers import VOUCHER_DIFFERENCES
from zone.core.clock import database_now
from zone.core.vault import VaultError

CHECKS_PER_RUN = 200  # Of one wallet: 4,800 a day, for the task runs every hour.
RUN_SECONDS_MAX = 60
SILENCES_MAX = 3  # In a row; then this wallet is left alone until the next run.
ASKED_AGAIN_AFTER = timedelta(days=1)
_WORDS: dict[type, str] = {
    Issued: "issued",
    Used: "used",
    Canceled: "canceled",
    # It knows no voucher of this number.
    Refused: "missing",
    NeverAsked: "missing",
}
# What can be used there, and what has ended here until the wallet has agreed to that.
_DUE = f"""
    SELECT claim.id
    FROM benefits_claim claim
    JOIN benefits_release release ON release.id = claim.release_id
    LEFT JOIN benefits_providerending ending ON ending.claim_id = claim.id
    LEFT JOIN benefits_providerstatementline line
      ON line.provider_id = release.provider_id AND line.claim_public_id = claim.public_id
    WHERE release.provider_id = %(provider)s AND claim.mode = 'provider'
      AND claim.provider_status = 'issued' AND claim.provider_reference <> ''
      AND CASE claim.state
          WHEN 'granted' THEN claim.valid_until IS NULL OR claim.valid_until > %(now)s
          WHEN 'revoked' THEN ending.outcome = 'ended'
          ELSE claim.state IN ('redeemed', 'returned') END
      AND (line.id IS NULL
           OR (line.seen_at <= %(asked_before)s
               AND (claim.state = 'granted' OR line.status = 'unknown'
                    OR line.seen_at <= claim.updated_at
                    OR claim.public_id IN (SELECT claim FROM ({VOUCHER_DIFFERENCES}) found))))
    ORDER BY line.seen_at NULLS FIRST, claim.id
    LIMIT %(limit)s
"""  # noqa: S608 - text of our own
log = logging.getLogger(__name__)


def check_vouchers() -> int:
    """Ask every wallet in use about the vouchers whose turn it is; how many questions were answered."""
    in_use = ProviderConfig.objects.filter(is_active=True, releases__isnull=False).distinct()
    until = time.monotonic() + RUN_SECONDS_MAX
    return sum(check_wallet(wallet, until=until) for wallet in in_use if wallet.is_wallet)


def check_wallet(wallet: ProviderConfig, *, until: float | None = None) -> int:
    """Ask one wallet; how many questions were answered. Safe to repeat: none is asked twice a day.

    A use that we never heard of is booked as if it had been told. Any other difference is an alarm
    until the wallet and we agree. No transaction is open while it is asked.
    """
    try:
        gateway = open_provider(wallet)
    except (ProviderClosed, VaultError) as error:
        log.error("provider cannot be asked", extra={"provider": wallet.code, "why": str(error)})
        return 0
    until = until or time.monotonic() + RUN_SECONDS_MAX
    answered = silences = 0
    try:
        for claim in list_due(wallet, now=database_now()):
            if silences == SILENCES_MAX or time.monotonic() > until:
                break
            asked_at = database_now()
            answer = gateway.query(claim)
            _note(wallet, claim, answer, asked_at=asked_at)
            is_silent = isinstance(answer, Unknown)
            silences = silences + 1 if is_silent else 0
            answered += not is_silent
    finally:
        gateway.close()
    call_for_differences(wallet)
    return answered


def list_due(wallet: ProviderConfig, *, now: datetime) -> list[Claim]:
    """The vouchers whose turn it is, the one that was asked about longest ago first."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE,
            {
                "provider": wallet.pk,
                "now": now,
                "asked_before": now - ASKED_AGAIN_AFTER,
                "limit": CHECKS_PER_RUN,
            },
        )
        keys = [key for (key,) in cursor.fetchall()]
    found = to_be_asked().in_bulk(keys)
    return [found[key] for key in keys]


def _note(wallet: ProviderConfig, claim: Claim, answer: Answer, *, asked_at: datetime) -> None:
    word = _WORDS.get(type(answer), "unknown")
    lines = ProviderStatementLine.objects.filter(provider=wallet, claim_public_id=claim.public_id)
    # Silence takes nothing back of what the wallet said of this very claim.
    if word == "unknown" and lines.filter(seen_at__gt=claim.updated_at).update(seen_at=asked_at):
        return
    ProviderStatementLine.objects.update_or_create(
        provider=wallet,
        claim_public_id=claim.public_id,
        defaults={
            "status": word,
            "reference": claim.provider_reference or "",
            "seen_at": asked_at,
        },
    )
    if isinstance(answer, Used) and claim.state == Claim.State.GRANTED:
        note_use(claim, answer, actor=f"provider:{wallet.code}")
