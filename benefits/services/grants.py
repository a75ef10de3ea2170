"""Granting what a provider must make first: lease, ask, settle.

Three steps, and only the first and the last touch the database: a lease that says who is at it, a
call with no transaction open, and a transaction that settles claim, credits, slot and notice
together. A process may die between any two of them: the lease lapses, the next one asks the
provider what became of the order, and nothing is ordered twice because the key is the claim's.
"""

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from functools import cache, partial

from django.db import IntegrityError, transaction

from benefits import claim_sql
from benefits.models import Alarm, Claim, Code, ProviderConfig
from benefits.providers.base import (
    Canceled,
    Issued,
    NeverAsked,
    Pending,
    Provider,
    Refused,
    Unknown,
    Used,
)
from benefits.providers.registry import ProviderClosed, open_provider
from benefits.services import pools
from benefits.services.alarms import raise_alarm, settle_awaited
from benefits.services.asking import (
    Answer,
    add_recipients,
    answer_of,
    ask,
    ask_about,
    is_worn_out,
    known,
    to_be_asked,
)
from benefits.services.moves import move_claim, record_events, tell_partner
from benefits.services.notices import tell, tell_each
from benefits.services.provider_codes import keep_codes
from benefits.services.trials import start_trial
from credits import ledger
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.ids import uuid7
from zone.core.stuck import is_of_the_row
from zone.core.vault import VaultError

PARALLEL_CALLS = 64
PROVIDER_CALLS_MAX = 48  # Of one provider, so that a dead one never holds every thread.
LEASE_CLAIMS_MIN = 16  # Fewer are not worth a query while others are still being asked.
# Answers that come one after the other are written down together: a commit costs what it costs.
GATHER_CLAIMS = 24
GATHER_SECONDS = 0.03
LEASE = timedelta(seconds=60)  # Longer than the slowest answer and its settling.
PAUSE_SECONDS_MAX = 300
SILENT_PAUSE = timedelta(hours=1)
SUSPECT_SECONDS_MAX = 5.0  # Of one run, so that those who come after an accident wait little.

State = Claim.State
Status = Claim.ProviderStatus
log = logging.getLogger(__name__)


def drain_grants() -> int:
    """Bring every claim that is due one step further. Returns how many it looked at.

    Several processes may run it at once; each takes claims nobody else holds. Safe to kill. New
    claims are leased as soon as threads are free, so a slow answer delays its own claim alone; a
    provider that stops answering is asked one claim at a time until it answers again. A claim that
    outlived two workers is asked about alone, so that one it kills takes nobody else's along.
    """
    drain = _Drain()
    try:
        return drain.run()
    finally:
        drain.close()


class _Drain:
    """One run: which calls are under way, and how much each provider is trusted with."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(max_workers=PARALLEL_CALLS)
        self.calls: dict[Future[Answer], Claim] = {}
        self.providers: dict[int, Provider | None] = {}
        self.trust: dict[int, int] = {}

    def run(self) -> int:
        done = self.run_suspects()
        while True:
            leased = self.lease()
            done += leased
            if not self.calls:
                return done
            answers = [(self.calls.pop(call), answer_of(call)) for call in self.gather()]
            for claim, answer in answers:
                self.note(claim, answer)
            settle_all(answers)

    def run_suspects(self) -> int:
        """Bring claims whose workers died one step further, each by itself."""
        done = 0
        until = time.monotonic() + SUSPECT_SECONDS_MAX
        while time.monotonic() < until:
            leased = claim_sql.lease_suspect(lease=LEASE)
            if leased is None:
                break
            claim = to_be_asked().get(pk=leased)
            add_recipients([claim])
            if is_worn_out(claim):
                _fence(claim)
            answer = answer_of(self.start(claim))
            self.note(claim, answer)
            settle_by_itself(claim, answer)
            done += 1
        return done

    def gather(self) -> "set[Future[Answer]]":
        """The calls that are answered: at least one, and those that come in the next blink."""
        finished, others = wait(self.calls, return_when=FIRST_COMPLETED)
        if others and len(finished) < GATHER_CLAIMS:
            time.sleep(GATHER_SECONDS)
        return {call for call in self.calls if call.done()}

    def close(self) -> None:
        self.threads.shutdown(wait=True, cancel_futures=True)
        for provider in self.providers.values():
            if provider is not None:
                provider.close()

    def lease(self) -> int:
        """Start asking about as many due claims as there are threads and trust for."""
        free = PARALLEL_CALLS - len(self.calls)
        if free < min(LEASE_CLAIMS_MIN, PARALLEL_CALLS):
            return 0
        under_way: dict[int, int] = {}
        for claim in self.calls.values():
            key = claim.release.provider_id or 0
            under_way[key] = under_way.get(key, 0) + 1
        rooms = {
            key: max(self.trust.get(key, PROVIDER_CALLS_MAX) - under_way.get(key, 0), 0)
            for key in {*under_way, *self.trust}
        }
        leased = claim_sql.lease_claims(
            limit=free, lease=LEASE, share=PROVIDER_CALLS_MAX, rooms=rooms
        )
        if leased:
            failpoint("grant_after_lease")
            claims = list(to_be_asked().filter(pk__in=leased).order_by("pk"))
            add_recipients(claims)
            for claim in claims:
                self.calls[self.start(claim)] = claim
        return len(leased)

    def start(self, claim: Claim) -> "Future[Answer]":
        provider = self.find_provider(claim.release.provider)
        if provider is None:
            return known(Unknown("provider cannot be asked"))
        if is_worn_out(claim):
            # Whatever happened to every try before this one, do not order again.
            return self.threads.submit(ask_about, provider, claim)
        return self.threads.submit(ask, provider, claim)

    def find_provider(self, config: ProviderConfig | None) -> Provider | None:
        if config is None:
            return None
        if config.pk not in self.providers:
            try:
                self.providers[config.pk] = open_provider(config)
            except (ProviderClosed, VaultError) as error:
                log.error(
                    "provider cannot be asked", extra={"provider": config.code, "why": str(error)}
                )
                self.providers[config.pk] = None
        return self.providers[config.pk]

    def note(self, claim: Claim, answer: Answer) -> None:
        """An answer doubles the trust in a provider, silence takes all but one call of it."""
        key = claim.release.provider_id or 0
        trust = self.trust.get(key, PROVIDER_CALLS_MAX)
        is_silent = isinstance(answer, Unknown) and not isinstance(answer, Pending)
        self.trust[key] = 1 if is_silent else min(trust * 2, PROVIDER_CALLS_MAX)


def settle_all(answers: list[tuple[Claim, Answer]]) -> None:
    """Write down what the providers said: what was issued in one commit, the rest one by one.

    When one of them cannot be written, each has a commit of its own, so that it stops nobody: its
    lease lapses, it is asked about alone, and in the end it is fenced in and an operator called.
    """
    issued = [(claim, answer) for claim, answer in answers if isinstance(answer, Issued)]
    done: set[int] = set()
    if len(issued) > 1:
        for claim, _ in issued:
            failpoint("grant_after_provider", claim.public_id)
        try:
            done = grant_together(issued)
        except Exception as error:
            if not is_of_the_row(error):
                raise
    for claim, answer in answers:
        if claim.pk not in done:
            settle_by_itself(claim, answer)


def settle_by_itself(claim: Claim, answer: Answer) -> None:
    """`settle`, unless something about this very claim keeps it from being written down."""
    try:
        settle(claim, answer)
    except Exception as error:
        if not is_of_the_row(error):
            raise
        log.exception("A claim cannot be settled", extra={"claim": claim.public_id})


def settle(claim: Claim, answer: Answer) -> None:
    """Write down what the provider said. Safe to repeat: a claim is settled once."""
    failpoint("grant_after_provider", claim.public_id)
    if isinstance(answer, Used):
        answer = Issued(answer.reference)  # Then it was issued; its use comes as a message.
    if isinstance(answer, Issued):
        try:
            grant(claim, answer)
        except IntegrityError:
            # The code is already in another hand. Nobody gets it twice; an operator must look.
            raise_alarm(Alarm.Kind.PROVIDER_CODE, claim.public_id, reference=answer.reference)
            _wait(claim, Unknown("code already known"))
    elif isinstance(answer, Refused):
        fail(claim, answer.reason, provider_status=Status.REFUSED)
    elif isinstance(answer, Canceled):
        fail(claim, "canceled", provider_status=Status.REFUSED)
    elif isinstance(answer, NeverAsked):
        # Asked about after its last try: the provider knows of no order, so nothing can be lost.
        fail(claim, "never_issued", provider_status=Status.REFUSED)
    else:
        _wait(claim, answer)


def grant(claim: Claim, issued: Issued) -> bool:
    """Granted, captured, code kept and owner told, in one commit. False when it was settled.

    The first answer stored is the one that counts. A later success with another code is an alarm
    for the operators and changes nothing.
    """
    if grant_together([(claim, issued)]):
        return True
    _compare(Claim.objects.get(pk=claim.pk), issued)
    return False


def grant_together(answers: list[tuple[Claim, Issued]]) -> set[int]:
    """What several providers' answers grant, in one commit; the keys of the claims it granted.

    A claim that was settled before is left out, untouched. One statement for each kind of row, so
    that a commit's cost is shared. Raises IntegrityError, with nothing done, when one of the codes
    is in another hand.
    """
    issued_for = {claim.pk: issued for claim, issued in answers}
    with transaction.atomic():
        now = database_now()
        claims = list(
            Claim.objects.select_for_update(no_key=True, of=("self",))
            .select_related("benefit", "member", "release")
            .prefetch_related("benefit__texts")
            .filter(pk__in=issued_for, state=State.RESERVED)
            .order_by("pk")
        )
        life = cache(
            partial(claim_sql.life, now)
        )  # Asked once for all who share a zone and a benefit.
        granted = [
            claim_sql.Granted(
                claim.pk,
                issued_for[claim.pk].reference,
                *life(claim.member.time_zone, claim.benefit),
            )
            for claim in claims
        ]
        keep_codes([(claim, issued_for[claim.pk]) for claim in claims], now=now)
        claim_sql.grant_waiting(granted, now=now)
        record_events(
            [
                (claim, {"reference": issued_for[claim.pk].reference, "attempts": claim.attempts})
                for claim in claims
            ],
            was=State.RESERVED,
            to=State.GRANTED,
            cause="grant",
            actor="worker",
            now=now,
        )
        for claim, row in zip(claims, granted, strict=True):
            claim.state, claim.granted_at = State.GRANTED, now
            claim.valid_from, claim.valid_until = row.valid_from, row.valid_until
            tell_partner(claim, was=State.RESERVED, cause="grant", now=now)
            if claim.price_credits:
                ledger.capture(member_id=claim.member_id, hold_op=claim.op_id, op_id=uuid7())
            if not issued_for[claim.pk].code:
                start_trial(claim=claim, now=now)  # It began on the member's account.
        tell_each(claims, "claim_granted", now=now)
        settle_awaited(claims)
        failpoint("grant_before_commit")
    return {claim.pk for claim in claims}


def fail(claim: Claim, reason: str, *, provider_status: str, actor: str = "worker") -> bool:
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
            actor=actor,
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
    """Try again later, each time twice as late.

    After the last try the claim keeps waiting, with its credits held: not knowing is not a
    refusal, and a benefit that was issued must not be free. An operator is called, and the
    provider is asked now and then whether it remembers.
    """
    now = database_now()
    provider = claim.release.provider
    is_last = provider is not None and claim.attempts >= provider.attempts_max
    pause = timedelta(seconds=min(2 ** min(claim.attempts - 1, 16), PAUSE_SECONDS_MAX))
    if is_last:
        pause = SILENT_PAUSE
        raise_alarm(
            Alarm.Kind.PROVIDER_SILENT,
            claim.public_id,
            provider=provider.code if provider else "",
            why=answer.why,
            attempts=claim.attempts,
        )
    Claim.objects.filter(pk=claim.pk, state=State.RESERVED, attempts=claim.attempts).update(
        provider_status=Status.SILENT if is_last else Status.UNKNOWN,
        next_attempt_at=now + pause,
        lease_until=None,
        updated_at=now,
    )


def _fence(claim: Claim) -> None:
    """Out of the way before it is looked at again: every worker that held this claim has died.

    It was not unlucky, something about it kills. From now on it is asked about once an hour at
    most, alone, and an operator knows. If this process outlives the question, its answer counts.
    """
    until = database_now() + SILENT_PAUSE
    with transaction.atomic():
        Claim.objects.filter(pk=claim.pk, state=State.RESERVED).update(
            provider_status=Status.SILENT, next_attempt_at=until, lease_until=until
        )
        raise_alarm(Alarm.Kind.WORKER_LOST, claim.public_id, attempts=claim.attempts)


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
        raise_alarm(Alarm.Kind.PROVIDER_CODE, claim.public_id, reference=issued.reference)
