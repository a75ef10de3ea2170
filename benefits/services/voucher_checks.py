"""Asking wallets what became of the vouchers that they keep for our members, a few at a time.

A voucher gateway has no list that could be fetched; it answers for one voucher. So each has its
turn within a day, the one that was asked about longest ago first, and what the wallet says stands
beside our claim like a line of a statement. How many a run asks about follows from how many there
are, up to what the wallet can bear.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from math import ceil

from django.db import connection

from benefits.models import Claim, ProviderConfig, ProviderStatementLine
from benefits.providers.base import (
    Canceled,
    Issued,
    NeverAsked,
    Provider,
    Refused,
    Unknown,
    Used,
)
from benefits.providers.registry import ProviderClosed, open_provider
from benefits.providers.wallet_vouchers import NOT_THERE
from benefits.services.asking import Answer, answer_of, to_be_asked
from benefits.services.provider_messages import note_use
from benefits.services.statements import call_for_differences
from benefits.verify_vouchers import DISPUTED
from zone.core.clock import database_now
from zone.core.vault import VaultError

RUNS_PER_DAY = 288  # The task runs every five minutes.
CHECKS_PER_RUN_MIN = 50
SPARE = 1.25  # A run may be lost, and what is given out during the day has its turn too.
RUN_SECONDS_MAX = 60
PARALLEL_CALLS = 8  # With slower answers than this many a second, a wallet is asked less.
SILENCES_MAX = 3  # In a row; then this wallet is left alone until the next run.
ASKED_AGAIN_AFTER = timedelta(days=1)
ENDED_ASKED_FOR = timedelta(days=40)  # After that an end is asked about while it is disputed.
_WORDS: dict[type, str] = {
    Issued: "issued",
    Used: "used",
    Canceled: "canceled",
    NeverAsked: "missing",
}
# Answers that say nothing of the voucher, and take nothing back of what was said before.
_NOTHING_SAID = ("unknown", "refused")
_OF_THE_WALLET = """
    claim.release_id = ANY (%(releases)s)
    AND claim.mode = 'provider' AND claim.provider_status = 'issued'
"""
_LINE = """
    LEFT JOIN benefits_providerstatementline line
      ON line.provider_id = %(provider)s AND line.claim_public_id = claim.public_id
"""
_HAS_ENDED = """
    claim.state IN ('redeemed', 'returned', 'revoked')
    AND (claim.state <> 'revoked' OR EXISTS (
        SELECT FROM benefits_providerending ending
        WHERE ending.claim_id = claim.id AND ending.outcome = 'ended'
    ))
"""
# What can be used there; what has ended here until the wallet has agreed to that; and what is
# disputed, however long ago it ended.
_DUE = f"""
    SELECT id FROM (
        SELECT claim.id, line.seen_at
        FROM benefits_claim claim {_LINE}
        WHERE {_OF_THE_WALLET} AND claim.state = 'granted' AND claim.provider_reference <> ''
          AND (claim.valid_until IS NULL OR claim.valid_until > %(now)s)
          AND (line.id IS NULL OR line.seen_at <= %(asked_before)s)
        UNION
        SELECT claim.id, line.seen_at
        FROM benefits_claim claim {_LINE}
        WHERE {_OF_THE_WALLET} AND {_HAS_ENDED} AND claim.provider_reference <> ''
          AND coalesce(claim.ended_at, claim.redeemed_at) > %(ended_since)s
          AND (line.id IS NULL
               OR (line.seen_at <= %(asked_before)s
                   AND (line.status IN ('unknown', 'refused')
                        OR line.seen_at <= claim.updated_at)))
        UNION
        SELECT claim.id, line.seen_at
        FROM benefits_claim claim {_LINE}
        LEFT JOIN benefits_providerending ending ON ending.claim_id = claim.id
        WHERE {_OF_THE_WALLET} AND {_HAS_ENDED}
          AND line.seen_at <= %(asked_before)s AND line.seen_at > claim.updated_at
          AND {DISPUTED}
    ) turns
    ORDER BY seen_at NULLS FIRST, id
    LIMIT %(limit)s
"""  # noqa: S608 - text of our own
_LIVE = f"""
    SELECT count(*) FROM benefits_claim claim
    WHERE {_OF_THE_WALLET} AND claim.state = 'granted'
"""  # noqa: S608 - text of our own
log = logging.getLogger(__name__)


def check_vouchers() -> int:
    """Ask every wallet in use about the vouchers whose turn it is; how many questions were answered."""
    in_use = ProviderConfig.objects.filter(is_active=True, releases__isnull=False).distinct()
    wallets = [each for each in in_use if each.is_wallet]
    ends_at = time.monotonic() + RUN_SECONDS_MAX
    answered = 0
    for place, wallet in enumerate(wallets):
        # What one leaves of its time is the next one's; a slow one takes nobody else's.
        now = time.monotonic()
        answered += check_wallet(wallet, until=now + (ends_at - now) / (len(wallets) - place))
    return answered


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
    try:
        answered = _ask_each(wallet, gateway, list_due(wallet, now=database_now()), until=until)
    finally:
        gateway.close()
    call_for_differences(wallet)
    return answered


def _ask_each(wallet: ProviderConfig, gateway: Provider, due: list[Claim], *, until: float) -> int:
    """As many at once as the wallet has answered well so far; one at a time after a silence."""
    answered = silences = place = 0
    at_once = 1
    with ThreadPoolExecutor(PARALLEL_CALLS) as threads:
        while place < len(due) and silences < SILENCES_MAX and time.monotonic() < until:
            began, asked_at = time.monotonic(), database_now()
            batch = due[place : place + at_once]
            place += len(batch)
            calls = [(claim, threads.submit(gateway.query, claim)) for claim in batch]
            for claim, call in calls:
                answer = answer_of(call)
                _note(wallet, claim, answer, asked_at=asked_at)
                is_silent = isinstance(answer, Unknown)
                silences = silences + 1 if is_silent else 0
                answered += not is_silent
            at_once = 1 if silences else min(2 * at_once, PARALLEL_CALLS)
            # No faster than it can bear.
            took = time.monotonic() - began
            if place < len(due):
                time.sleep(max(0.0, len(batch) / wallet.questions_per_second - took))
    return answered


def share_of_run(wallet: ProviderConfig) -> int:
    """How many questions of one run let every voucher have its turn within a day.

    No more than the wallet bears; then they wait longer than a day, and the log says so.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, {"releases": _releases_of(wallet)})
        [live] = cursor.fetchone()
    wanted: int = max(ceil(live * SPARE / RUNS_PER_DAY), CHECKS_PER_RUN_MIN)
    bearable: int = wallet.questions_per_second * RUN_SECONDS_MAX
    if wanted > bearable:
        facts = {"provider": wallet.code, "vouchers": live, "share": bearable}
        log.warning("vouchers are asked about less than daily", extra=facts)
    return min(wanted, bearable)


def list_due(wallet: ProviderConfig, *, now: datetime) -> list[Claim]:
    """The vouchers whose turn it is, the one that was asked about longest ago first."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE,
            {
                "provider": wallet.pk,
                "releases": _releases_of(wallet),
                "now": now,
                "asked_before": now - ASKED_AGAIN_AFTER,
                "ended_since": now - ENDED_ASKED_FOR,
                "limit": share_of_run(wallet),
            },
        )
        keys = [key for (key,) in cursor.fetchall()]
    found = to_be_asked().in_bulk(keys)
    return [found[key] for key in keys]


def _releases_of(wallet: ProviderConfig) -> list[int]:
    return list(wallet.releases.values_list("pk", flat=True))


def _word_of(answer: Answer) -> str:
    """A wallet that refuses to answer has not said that there is no such voucher."""
    if isinstance(answer, Refused):
        return "missing" if answer.reason in NOT_THERE else "refused"
    return _WORDS.get(type(answer), "unknown")


def _note(wallet: ProviderConfig, claim: Claim, answer: Answer, *, asked_at: datetime) -> None:
    word = _word_of(answer)
    lines = ProviderStatementLine.objects.filter(provider=wallet, claim_public_id=claim.public_id)
    # Silence takes nothing back of what the wallet said of this very claim.
    if word in _NOTHING_SAID and lines.filter(seen_at__gt=claim.updated_at).update(
        seen_at=asked_at
    ):
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
