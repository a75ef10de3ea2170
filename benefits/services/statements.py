"""A provider's own list of what it issued, kept beside ours so that the two can be compared."""

import logging
from datetime import datetime

from django.db import connection, transaction

from benefits.models import Alarm, ProviderConfig, ProviderStatement, ProviderStatementLine
from benefits.providers.base import Listed, Unknown
from benefits.providers.registry import ProviderClosed, open_provider
from benefits.services import pools
from benefits.services.alarms import raise_alarm, settle_alarms_of
from benefits.verify_life import STATEMENT_DIFFERENCES
from benefits.verify_vouchers import VOUCHER_DIFFERENCES
from zone.core.clock import database_now
from zone.core.vault import VaultError

INSERT_ROWS = 2_000
log = logging.getLogger(__name__)


def fetch_statement(*, provider: ProviderConfig) -> ProviderStatement | None:
    """Fetch a provider's list and keep it; None, with nothing changed, when it gives none.

    Orders settled before the fetch began must be in it; codes are kept as their index alone. A
    difference is an alarm until a later list agrees. Safe to repeat.
    """
    covers_until = database_now()
    try:
        issuer = open_provider(provider)
    except (ProviderClosed, VaultError) as error:
        log.error("provider cannot be asked", extra={"provider": provider.code, "why": str(error)})
        return None
    try:
        listed = issuer.list_orders()
    finally:
        issuer.close()
    if listed is None:
        return None
    if isinstance(listed, Unknown):
        log.error("no statement", extra={"provider": provider.code, "why": listed.why})
        return None
    with transaction.atomic():
        statement = ProviderStatement.objects.create(
            provider=provider,
            covers_until=covers_until,
            line_count=len(listed),
            fetched_at=database_now(),
        )
        for start in range(0, len(listed), INSERT_ROWS):
            _keep(provider, listed[start : start + INSERT_ROWS], seen_at=covers_until)
        # An order that is no longer on the list was taken off it.
        provider.statement_lines.filter(seen_at__lt=covers_until).delete()
    call_for_differences(provider)
    return statement


def call_for_differences(provider: ProviderConfig) -> None:
    """An alarm names the claims on which a provider and we differ, until they agree."""
    differences = list_differences(provider)
    if differences:
        raise_alarm(
            Alarm.Kind.PROVIDER_STATEMENT,
            provider.code,
            claims=differences[:20],
            count=len(differences),
        )
    else:
        settle_alarms_of(Alarm.Kind.PROVIDER_STATEMENT, provider.code)


def _keep(provider: ProviderConfig, rows: list[Listed], *, seen_at: datetime) -> None:
    ProviderStatementLine.objects.bulk_create(
        [
            ProviderStatementLine(
                provider=provider,
                claim_public_id=row.claim[:30],
                status=row.status[:10],
                reference=row.reference[:80],
                code_index=pools.index_of(row.code, livemode=provider.livemode)
                if row.code
                else None,
                seen_at=seen_at,
            )
            for row in {row.claim: row for row in rows}.values()
        ],
        update_conflicts=True,
        unique_fields=["provider", "claim_public_id"],
        update_fields=["status", "reference", "code_index", "seen_at"],
    )


def list_differences(provider: ProviderConfig) -> list[str]:
    """Claims on which a provider's newest list, or a wallet's answers, and ours do not agree."""
    found = VOUCHER_DIFFERENCES if provider.is_wallet else STATEMENT_DIFFERENCES
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT claim FROM ({found}) found WHERE provider = %s ORDER BY 1",  # noqa: S608
            [provider.code],
        )
        return [row[0] for row in cursor.fetchall()]


def fetch_statements() -> int:
    """Fetch the list of every provider in use; how many answered. Wallets have none to give."""
    in_use = ProviderConfig.objects.filter(is_active=True, releases__isnull=False).distinct()
    return sum(fetch_statement(provider=provider) is not None for provider in in_use)
