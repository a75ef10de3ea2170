"""Codes that a provider made: sealed under their claims' slots, like codes from a file."""

import logging
from datetime import datetime

from benefits.models import Claim, Code, CodeBatch, Release
from benefits.providers.base import Issued
from benefits.sealed import OpenCode
from benefits.services import pools

log = logging.getLogger(__name__)


def keep_codes(answers: list[tuple[Claim, Issued]], *, now: datetime) -> None:
    """Seal what each provider answered. Raises IntegrityError for a code in another hand."""
    batches: dict[int, tuple[CodeBatch, bytes]] = {}
    codes = []
    for claim, issued in answers:
        if not issued.code:
            continue
        if claim.release_id not in batches:
            batches[claim.release_id] = _batch_of_provider(claim.release, now=now)
        batch, key = batches[claim.release_id]
        url = issued.redeem_url
        if pools.find_url_fault(url):
            if url:
                log.error("provider sent a foreign address", extra={"claim": claim.public_id})
            url = ""
        codes.append(
            pools.seal_code(
                release=claim.release,
                slot=claim.slot,
                batch=batch,
                key=key,
                index=pools.index_of(issued.code, livemode=claim.livemode),
                plain=OpenCode(code=issued.code, redeem_url=url),
            )
        )
    Code.objects.bulk_create(codes)


def _batch_of_provider(release: Release, *, now: datetime) -> tuple[CodeBatch, bytes]:
    key, wrapped = pools.new_batch_key()
    batch, is_new = CodeBatch.objects.get_or_create(
        release=release,
        source=CodeBatch.Source.PROVIDER,
        defaults={"key_sealed": wrapped, "actor": "worker", "created_at": now},
    )
    return batch, key if is_new else pools.open_batch_key(batch)
