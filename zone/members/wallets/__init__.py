"""Wallet connectors by name. A wallet row says which one speaks for it."""

from django.conf import settings

from zone.members.errors import WalletClosed
from zone.members.models import Wallet
from zone.members.wallets.base import WalletConnector
from zone.members.wallets.sandbox import SandboxConnector

SANDBOX = "sandbox"


def connector_for(wallet: Wallet) -> WalletConnector:
    """The connector of `wallet`.

    The sandbox lets anyone be anyone, so it answers only where ZONE_SANDBOX is on, which
    production settings refuse. Raises WalletClosed.
    """
    if wallet.connector == SANDBOX and settings.ZONE_SANDBOX:
        return SandboxConnector()
    raise WalletClosed(wallet=wallet.code)


def connector_choices() -> list[tuple[str, str]]:
    """The connectors an operator may choose for a wallet here."""
    return [(SANDBOX, "Sandbox wallet")] if settings.ZONE_SANDBOX else []
