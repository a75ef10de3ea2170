"""What any issuer answers, whoever it is.

An issuer is asked with the claim's public id as idempotency key, so asking twice is one effect.
To an order there are three answers, never a fourth: it was issued, it was refused for good, or we
do not know. Not knowing is not a refusal: a request may have arrived although its reply did not, so
the next thing an unknown claim gets is a question about it, never a second order under another key
and never its credits back.

Two shapes of issuer fit. One makes a code, is asked by our key, and is done. The other keeps what
it made, as a wallet keeps vouchers: `issue` sends it and learns its number, `query` tells where it
stands until its end (`Used`, `Canceled`), `cancel` takes it back. Asked by that number alone, it
says `Repeat` while we have none.
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
class Repeat(Unknown):
    """It cannot be asked by our key: the same order again, under the same key, is the question."""


@dataclass(frozen=True, slots=True)
class NeverAsked:
    """The provider knows nothing under this key: nothing was issued, ordering is safe."""


@dataclass(frozen=True, slots=True)
class Canceled:
    """What was issued is void at the provider; nobody can use it any more."""


@dataclass(frozen=True, slots=True)
class Used:
    """What was issued was used where the provider keeps it."""

    reference: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One order as the provider's own list has it."""

    claim: str
    status: str
    reference: str = ""
    code: str = ""


class Provider(Protocol):
    """One issuer. Called from threads without a connection to the database: a claim comes with
    its benefit, its release with provider, its member and the member's wallet identities.
    """

    def issue(self, claim: Claim) -> Issued | Refused | Unknown:
        """Order the benefit of `claim`. Safe to repeat; never raises for what the network does."""

    def query(self, claim: Claim) -> Issued | Refused | Unknown | NeverAsked | Used | Canceled:
        """What became of an order, and of what it made. Changes nothing."""

    def cancel(self, claim: Claim) -> Canceled | Refused | Unknown:
        """Take back what was issued. Safe to repeat."""

    def list_orders(self) -> list[Listed] | Unknown | None:
        """Every order the provider has on its books; None from one that keeps no list for us."""

    def close(self) -> None:
        """Let go of connections."""
