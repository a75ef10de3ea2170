"""Asking a provider about a claim: with what it needs to know, and never for a second order."""

import logging
from concurrent.futures import Future

from django.db.models import QuerySet, prefetch_related_objects

from benefits.models import Claim
from benefits.providers.base import (
    Canceled,
    Issued,
    NeverAsked,
    Provider,
    Refused,
    Repeat,
    Unknown,
    Used,
)
from zone.core.failpoints import failpoint

log = logging.getLogger(__name__)
Answer = Issued | Refused | Unknown | NeverAsked | Used | Canceled


def to_be_asked() -> QuerySet[Claim]:
    return Claim.objects.select_related("benefit", "member", "release__provider")


def add_recipients(claims: list[Claim]) -> None:
    """Wallets are told by their own number for whom a voucher is: read it here, not in a thread."""
    for_wallets = [
        claim.member
        for claim in claims
        if claim.release.provider is not None and claim.release.provider.is_wallet
    ]
    prefetch_related_objects(for_wallets, "identities")


def known(answer: Answer) -> "Future[Answer]":
    """An answer that nobody needs to be asked for."""
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future


def answer_of(call: "Future[Answer]") -> Answer:
    """What a call came to. One that fails in our own code tells nothing about the order."""
    try:
        return call.result()
    except Exception as error:
        log.exception("A provider could not be asked")
        return Unknown(type(error).__name__)


def is_worn_out(claim: Claim) -> bool:
    """Whether its tries are used up: from then on a claim is only asked about."""
    provider = claim.release.provider
    return provider is not None and claim.attempts > provider.attempts_max


def ask(provider: Provider, claim: Claim) -> Answer:
    """Order a claim's benefit, after asking about any order that may already have been placed."""
    if claim.attempts > 1:
        found = provider.query(claim)
        if not isinstance(found, NeverAsked | Repeat):
            return found
    failpoint("grant_order", claim.public_id)
    return provider.issue(claim)


def ask_about(provider: Provider, claim: Claim) -> Answer:
    """What became of an order, placing none. Where only the order itself tells, it is repeated.

    Late then, if it never arrived: its owner still waits, and the credits are still held for it.
    """
    found = provider.query(claim)
    return provider.issue(claim) if isinstance(found, Repeat) else found
