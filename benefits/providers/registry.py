"""From a row to the issuer behind it."""

from collections.abc import Callable

from django.conf import settings

from benefits.models import ProviderConfig
from benefits.providers.base import Provider
from benefits.providers.http import HttpIssuer, open_secret
from benefits.providers.sandbox_issuer import sandbox_secret
from benefits.providers.sandbox_vouchers import APP_ID, sandbox_keys
from benefits.providers.voucher_dialect import DialectError, read_private_key, read_public_key
from benefits.providers.wallet_vouchers import Account, WalletVouchers


class ProviderClosed(Exception):
    """The row names an issuer that cannot be asked here."""


def secret_of(config: ProviderConfig) -> bytes:
    """The secret that both sides sign with. Raises VaultError when it does not open."""
    if config.kind == ProviderConfig.Kind.SANDBOX and settings.ZONE_SANDBOX:
        return sandbox_secret()
    return open_secret(bytes(config.secret_sealed))


def _http(config: ProviderConfig) -> Provider:
    return HttpIssuer(
        url=config.url,
        secret=secret_of(config),
        timeout_ms=config.timeout_ms,
    )


def _sandbox(config: ProviderConfig) -> Provider:
    if not (settings.ZONE_SANDBOX and settings.SANDBOX_ISSUER_URL):
        raise ProviderClosed("no sandbox issuer runs here")
    return HttpIssuer(
        url=settings.SANDBOX_ISSUER_URL, secret=secret_of(config), timeout_ms=config.timeout_ms
    )


def account_of(config: ProviderConfig) -> Account:
    """Who we are at a wallet's gateway. Raises ProviderClosed, VaultError."""
    if config.kind == ProviderConfig.Kind.SANDBOX_WALLET and settings.ZONE_SANDBOX:
        portal, wallet = sandbox_keys()
        return Account(APP_ID, portal, wallet.public_key())
    try:
        return Account(
            config.app_id,
            read_private_key(secret_of(config).decode()),
            read_public_key(config.peer_key),
        )
    except DialectError as error:
        raise ProviderClosed(str(error)) from error


def _wallet(config: ProviderConfig) -> Provider:
    return WalletVouchers(url=config.url, account=account_of(config), timeout_ms=config.timeout_ms)


def _sandbox_wallet(config: ProviderConfig) -> Provider:
    if not (settings.ZONE_SANDBOX and settings.SANDBOX_ISSUER_URL):
        raise ProviderClosed("no sandbox issuer runs here")
    return _vouchers(config, f"{settings.SANDBOX_ISSUER_URL}/gateway.do")


def _vouchers(config: ProviderConfig, url: str) -> Provider:
    return WalletVouchers(
        url=url,
        account=account_of(config),
        timeout_ms=config.timeout_ms,
        notify_url=f"{settings.SITE_URL}/ingest/v1/issuers/{config.code}/messages",
    )


ISSUERS: dict[str, Callable[[ProviderConfig], Provider]] = {
    ProviderConfig.Kind.HTTP: _http,
    ProviderConfig.Kind.SANDBOX: _sandbox,
    ProviderConfig.Kind.WALLET: _wallet,
    ProviderConfig.Kind.SANDBOX_WALLET: _sandbox_wallet,
}


def open_provider(config: ProviderConfig) -> Provider:
    """The issuer that a provider's row describes.

    Raises ProviderClosed when it is not to be asked, VaultError when its secret does not open.
    """
    if not config.is_active:
        raise ProviderClosed("not in use")
    return ISSUERS[config.kind](config)
