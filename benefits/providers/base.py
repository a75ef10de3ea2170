"""What any issuer answers, whoever it is.

An issuer is asked with the claim's public id as idempotency key, so asking twice is one effect.
Three answers, never a fourth: it was issued, it was refused for good, or we do not know. Not
knowing is not a refusal: a request may have arrived although its reply did not, so the next thing
an unknown claim gets is a question about it, never a second order and never its credits back.
"""

from dataclasses import dataclass
from typing import Protocol

from benefits.models import Claim


@dataclass(frozen=True, slots=True)
class Issued:
    """The benefit exists. `code` is empty for one that the provider put into an account itself."""

    reference: str
    code: str = ""
    redeem_url: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider says no for good, with a word why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer that can be relied on."""

    why: str


@dataclass(frozen=True, slots=True)
class Pending(Unknown):
    """The order is placed and being made: the provider tells us, or we ask again."""


@dataclass(frozen=True, slots=True)
class NeverAsked:
    """The provider knows nothing under this key: nothing was issued, ordering is safe."""


@dataclass(frozen=True, slots=True)
class Canceled:
    """What was issued is void at the provider; nobody can use it any more."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One order as the provider's own list has it."""

    claim: str
    status: str
    reference: str = ""
    code: str = ""


class Provider(Protocol):
    def issue(self, claim: Claim) -> Issued | Refused | Unknown:
        """Order the benefit of `claim`. Safe to repeat; never raises for what the network does."""

    def query(self, claim: Claim) -> Issued | Refused | Unknown | NeverAsked:
        """What became of an order. Changes nothing."""

    def cancel(self, claim: Claim) -> Canceled | Refused | Unknown:
        """Take back what was issued. Safe to repeat."""

    def list_orders(self) -> list[Listed] | Unknown:
        """Every order the provider has on its books."""

    def close(self) -> None:
        """Let go of connections."""
