"""Ending at its provider what was taken away here: a wallet's voucher lies in its owner's pocket.

Taken away in one commit, together with the row that says so; the provider is asked afterwards, with
no transaction open, until it has answered. Asking twice is one effect.
"""

from datetime import datetime, timedelta

from django.db import transaction

from benefits.errors import EndingSettled
from benefits.models import Alarm, Claim, ProviderEnding
from benefits.providers.base import Canceled, Refused, Unknown
from benefits.providers.registry import ProviderClosed, open_provider
from benefits.services.alarms import raise_alarm, settle_alarms_of
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.nudge import nudge
from zone.core.stuck import Attempts
from zone.core.vault import VaultError

LEASE = timedelta(seconds=60)  # Longer than the slowest answer.
PAUSE_SECONDS_MAX = 3600
ATTEMPTS_BEFORE_ALARM = 5
ENDED = "ended"  # Any other outcome is the provider's reason, or why it has not answered.


def is_kept_elsewhere(claim: Claim) -> bool:
    """Whether its provider keeps what a claim gave, so that it must end there as well."""
    provider = claim.release.provider
    return provider is not None and provider.is_wallet


def end_at_provider(claim: Claim, *, now: datetime) -> None:
    """Have it ended there. Joins the caller's transaction; nothing to do for what was handed over."""
    if not is_kept_elsewhere(claim):
        return
    ProviderEnding.objects.get_or_create(
        claim=claim, defaults={"created_at": now, "next_attempt_at": now}
    )
    nudge("benefits.tasks.drain_provider_endings")


def ask_again(*, ending: ProviderEnding, now: datetime) -> None:
    """Ask in the next round, also after a no: whoever looks may have settled it with the provider.

    Raises EndingSettled for what has ended.
    """
    rows = ProviderEnding.objects.filter(pk=ending.pk).exclude(outcome=ENDED)
    if not rows.update(next_attempt_at=now, attempts=0):
        raise EndingSettled()
    nudge("benefits.tasks.drain_provider_endings")


def drain_provider_endings() -> int:
    """Ask about every ending that is due; how many. Several processes may run it. Safe to kill."""
    done = 0
    attempts = Attempts("provider_endings")
    while ending := _lease(attempts.left_out):
        failpoint("ending_after_lease")
        with attempts.at(ending.pk):
            answer = _ask(ending.claim)
            failpoint("ending_after_provider")
            _settle(ending, answer)
        done += 1
    return done


def _lease(left_out: list[str]) -> ProviderEnding | None:
    """The oldest that is due, ours for a minute."""
    with transaction.atomic():
        now = database_now()
        ending = (
            ProviderEnding.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("claim__release__provider")
            .filter(next_attempt_at__lte=now)
            .exclude(pk__in=left_out)
            .order_by("next_attempt_at")
            .first()
        )
        if ending is not None:
            ending.attempts += 1
            ending.next_attempt_at = now + LEASE
            ending.save(update_fields=["attempts", "next_attempt_at"])
        return ending


def _ask(claim: Claim) -> Canceled | Refused | Unknown:
    config = claim.release.provider
    if config is None:
        return Refused("no provider")
    try:
        provider = open_provider(config)
    except (ProviderClosed, VaultError) as error:
        return Unknown(str(error))
    try:
        return provider.cancel(claim)
    finally:
        provider.close()


def _settle(ending: ProviderEnding, answer: Canceled | Refused | Unknown) -> None:
    """Ended, or never to be ended, or asked about again later: each time twice as late."""
    claim, now = ending.claim, database_now()
    if isinstance(answer, Unknown):
        pause = timedelta(seconds=min(2 ** min(ending.attempts, 12), PAUSE_SECONDS_MAX))
        ProviderEnding.objects.filter(pk=ending.pk, attempts=ending.attempts).update(
            next_attempt_at=now + pause, outcome=answer.why[:40]
        )
        if ending.attempts >= ATTEMPTS_BEFORE_ALARM:
            raise_alarm(Alarm.Kind.PROVIDER_SILENT, claim.public_id, why=answer.why)
        return
    outcome = ENDED if isinstance(answer, Canceled) else answer.reason[:40]
    with transaction.atomic():
        ProviderEnding.objects.filter(pk=ending.pk).update(next_attempt_at=None, outcome=outcome)
        settle_alarms_of(Alarm.Kind.PROVIDER_SILENT, claim.public_id)
        if isinstance(answer, Canceled):
            # It said no before, and was asked again. Another contradiction stays a person's.
            settle_alarms_of(Alarm.Kind.PROVIDER_CODE, claim.public_id, about="kept")
        else:
            # Used before we came, or kept: what was taken away here is of use there. A person looks.
            raise_alarm(Alarm.Kind.PROVIDER_CODE, claim.public_id, kept=answer.reason)
