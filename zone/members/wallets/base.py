"""What every wallet can do for us, whatever its own protocol looks like."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Departure:
    """Everything a wallet needs to know about a person who is on the way to it."""

    wallet_code: str
    purpose: str  # "sign_in" or "bind"
    state: str
    return_to: str
    language: str
    # Our own number for the agreement to be signed; empty for a sign-in.
    external_reference: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a return says. Its signature is good; whether it is still fresh is in `at`."""

    purpose: str
    state: str
    is_agreed: bool
    failure_reason: str
    auth_code: str
    account_masked: str
    storefront: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a wallet says this person is."""

    user_id: str
    display_name: str
    language: str
    storefront: str
    is_adult: bool
    person_token: bytes | None = None


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """What a wallet says about one agreement; `status` is one of Binding.Status."""

    user_id: str
    status: str
    occurred_at: datetime
    agreement_reference: str
    external_reference: str = ""
    account_masked: str = ""
    valid_until: datetime | None = None
    # Apple's own opaque id of the account that is paid for, where the wallet passes it on: the like
    # of StoreKit's appAccountToken (https://developer.apple.com/documentation/storekit).
    apple_account: str = ""


class WalletConnector(Protocol):
    """One wallet's protocol. Calls that reach the wallet raise WalletUnavailable when it is away.

    None of them may run inside a database transaction of ours.
    """

    def start(self, departure: Departure) -> str:
        """The address at which the wallet asks this person."""
        ...

    def read_return(self, *, wallet_code: str, params: Mapping[str, str]) -> Answer:
        """Check what came back with the browser. Raises WalletReturnRefused. Changes nothing."""
        ...

    def fetch_identity(self, *, wallet_code: str, auth_code: str) -> Identity:
        """Trade a code for an identity, once. Raises WalletReturnExpired for a used or old one."""
        ...

    def fetch_agreement(
        self, *, wallet_code: str, user_id: str, agreement_reference: str = ""
    ) -> AgreementReport | None:
        """The agreement of that number, else the user's current one; None when there is none."""
        ...

    def request_unbinding(
        self, *, wallet_code: str, user_id: str, agreement_reference: str = ""
    ) -> AgreementReport | None:
        """End the agreement, after asking whether Apple allows it.

        Returns the wallet's word on it, or None when there was none to end. Raises
        UnbindingRefused. Safe to repeat.
        """
        ...

    def read_news(self, *, wallet_code: str, params: Mapping[str, str]) -> AgreementReport:
        """Check a notification about an agreement. Raises WalletReturnRefused."""
        ...
