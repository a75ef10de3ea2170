"""Granting what a provider must make first: lease, ask, settle.

Three steps, and only the first and the last touch the database: a lease that says who is at it, a
call with no transaction open, and a transaction that settles claim, credits, slot and notice
together. A process may die between any two of them: the lease lapses, the next one asks the
provider what became of the order, and nothing is ordered twice because the key is the claim's.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from benefits import claim_sql
from benefits.models import Claim, Code, CodeBatch
from benefits.providers.base import Issued, NeverAsked, Provider, Refused, Unknown
from benefits.providers.registry import ProviderClosed, open_provider
from benefits.services import pools
from benefits.services.moves import move_claim
from benefits.services.notices import tell
from credits import ledger
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.ids import uuid7
from zone.core.vault import VaultError

BATCH_CLAIMS = 32
PARALLEL_CALLS = 16
LEASE = timedelta(seconds=60)  # Longer than a batch of the slowest answers.
PAUSE_SECONDS_MAX = 300

State = Claim.State
Answer = Issued | Refused | Unknown
log = logging.getLogger(__name__)


def drain_grants() -> int:
    """Bring every claim that is due one step further. Returns how many it looked at.

    Several processes may run it at once; each takes claims nobody else holds. Safe to kill.
    """
    done = 0
    providers: dict[int, Provider | None] = {}
    try:
        while leased := claim_sql.lease_claims(limit=BATCH_CLAIMS, lease=LEASE):
            failpoint("grant_after_lease")
            claims = Claim.objects.select_related("benefit", "member", "release__provider")
            _grant_batch(list(claims.filter(pk__in=leased)), providers)
            done += len(leased)
    finally:
        for provider in providers.values():
            if provider is not None:
                provider.close()
    return done


def _grant_batch(claims: list[Claim], providers: dict[int, Provider | None]) -> None:
    """Ask for all of them at once, settle each as its answer comes in."""
    with ThreadPoolExecutor(max_workers=PARALLEL_CALLS) as threads:
        waiting = {threads.submit(_question(claim, providers)): claim for claim in claims}
        for answer in as_completed(waiting):
            settle(waiting[answer], answer.result())


def _question(claim: Claim, providers: dict[int, Provider | None]) -> Callable[[], Answer]:
    """The call to make for a claim; it runs in a thread and touches no database."""
    config = claim.release.provider
    if config is None:
        return lambda: Unknown("no provider")
    if config.pk not in providers:
        try:
            providers[config.pk] = open_provider(config)
        except (ProviderClosed, VaultError) as error:
            log.error(
                "provider cannot be asked", extra={"provider": config.code, "why": str(error)}
            )
            providers[config.pk] = None
    provider = providers[config.pk]
    if provider is None:
        return lambda: Unknown("provider cannot be asked")
    return lambda: ask(provider, claim)


def ask(provider: Provider, claim: Claim) -> Answer:
    """Order a claim's benefit, after asking about any order that may already have been placed."""
    if claim.attempts > 1:
        known = provider.query(claim)
        if not isinstance(known, NeverAsked):
            return known
    return provider.issue(claim)


def settle(claim: Claim, answer: Answer) -> None:
    """Write down what the provider said. Safe to repeat: a claim is settled once."""
    failpoint("grant_after_provider")
    if isinstance(answer, Issued):
        try:
            grant(claim, answer)
        except IntegrityError:
            # The code is already in another hand. Nobody gets it twice; an operator must look.
            log.error("provider repeated a code", extra={"claim": claim.public_id})
            _wait(claim, Unknown("code already known"))
    elif isinstance(answer, Refused):
        fail(claim, answer.reason, provider_status=Claim.ProviderStatus.REFUSED)
    else:
        _wait(claim, answer)


def grant(claim: Claim, issued: Issued) -> bool:
    """Granted, captured, code kept and owner told, in one commit. False when it was settled.

    The first answer stored is the one that counts. A later success with another code is an alarm
    for the operators and changes nothing.
    """
    with transaction.atomic():
        now = database_now()
        claim = (
            Claim.objects.select_for_update(no_key=True, of=("self",))
            .select_related("benefit", "member", "release")
            .get(pk=claim.pk)
        )
        if claim.state != State.RESERVED:
            _compare(claim, issued)
            return False
        if issued.code:
            _keep_code(claim, issued, now=now)
        benefit = claim.benefit
        move_claim(
            claim,
            to=State.GRANTED,
            cause="grant",
            actor="worker",
            now=now,
            facts={"reference": issued.reference, "attempts": claim.attempts},
            provider_status=Claim.ProviderStatus.ISSUED,
            provider_reference=issued.reference,
            next_attempt_at=None,
            lease_until=None,
            granted_at=now,
            valid_from=max(now, benefit.usable_from) if benefit.usable_from else now,
            valid_until=claim_sql.valid_until(
                at=now,
                zone=claim.member.time_zone,
                days=benefit.valid_days,
                cap=benefit.usable_until,
                code_ends_on=None,
            ),
        )
        if claim.price_credits:
            ledger.capture(member_id=claim.member_id, hold_op=claim.op_id, op_id=uuid7())
        tell(claim, "claim_granted", now=now)
        failpoint("grant_before_commit")
    return True


def fail(claim: Claim, reason: str, *, provider_status: str) -> bool:
    """Failed: the hold is void, the slot is free again, the owner is told. False when settled."""
    with transaction.atomic():
        now = database_now()
        claim = (
            Claim.objects.select_for_update(no_key=True, of=("self",))
            .select_related("benefit")
            .get(pk=claim.pk)
        )
        if claim.state != State.RESERVED:
            return False
        move_claim(
            claim,
            to=State.FAILED,
            cause="fail",
            actor="worker",
            now=now,
            facts={"reason": reason, "attempts": claim.attempts},
            provider_status=provider_status,
            failure_code=reason[:40],
            next_attempt_at=None,
            lease_until=None,
            ended_at=now,
        )
        if claim.price_credits:
            ledger.void(member_id=claim.member_id, hold_op=claim.op_id, op_id=uuid7())
        claim_sql.let_go(claim_id=claim.pk, now=now)
        tell(claim, "claim_failed", now=now)
    return True


def _wait(claim: Claim, answer: Unknown) -> None:
    """Try again later, each time twice as late; after the last try give the credits back."""
    provider = claim.release.provider
    if provider is not None and claim.attempts >= provider.attempts_max:
        log.error(
            "a claim's provider never answered; compare with the provider's own list",
            extra={"claim": claim.public_id, "provider": provider.code, "why": answer.why},
        )
        fail(claim, "provider_silent", provider_status=Claim.ProviderStatus.UNKNOWN)
        return
    now = database_now()
    pause = min(2 ** (claim.attempts - 1), PAUSE_SECONDS_MAX)
    Claim.objects.filter(pk=claim.pk, state=State.RESERVED, attempts=claim.attempts).update(
        provider_status=Claim.ProviderStatus.UNKNOWN,
        next_attempt_at=now + timedelta(seconds=pause),
        lease_until=None,
        updated_at=now,
    )


def _keep_code(claim: Claim, issued: Issued, *, now: datetime) -> None:
    """Seal the provider's code under the claim's slot, like one from a file."""
    url = issued.redeem_url
    if pools.find_url_fault(url):
        if url:
            log.error("provider sent a foreign address", extra={"claim": claim.public_id})
        url = ""
    key, wrapped = pools.new_batch_key()
    batch, is_new = CodeBatch.objects.get_or_create(
        release=claim.release,
        source=CodeBatch.Source.PROVIDER,
        defaults={"key_sealed": wrapped, "actor": "worker", "created_at": now},
    )
    code = pools.seal_code(
        release=claim.release,
        slot=claim.slot,
        batch=batch,
        key=key if is_new else pools.open_batch_key(batch),
        index=pools.index_of(issued.code, livemode=claim.livemode),
        plain=pools.OpenCode(code=issued.code, redeem_url=url),
    )
    code.save(force_insert=True)


def _compare(claim: Claim, issued: Issued) -> None:
    """A success after the claim was settled: the same one is no news, another one is an alarm."""
    stored = Code.objects.filter(release_id=claim.release_id, slot=claim.slot).first()
    is_same = claim.state != State.FAILED and (
        not issued.code
        or (
            stored is not None
            and bytes(stored.code_index) == pools.index_of(issued.code, livemode=claim.livemode)
        )
    )
    if not is_same:
        log.error(
            "provider issued something else than what is stored",
            extra={"claim": claim.public_id, "reference": issued.reference},
        )
