"""From a row to the issuer behind it."""

from collections.abc import Callable

from django.conf import settings

from benefits.models import ProviderConfig
from benefits.providers.base import Provider
from benefits.providers.http import HttpIssuer, open_secret
from benefits.providers.sandbox_issuer import sandbox_secret


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


ISSUERS: dict[str, Callable[[ProviderConfig], Provider]] = {
    ProviderConfig.Kind.HTTP: _http,
    ProviderConfig.Kind.SANDBOX: _sandbox,
}


def open_provider(config: ProviderConfig) -> Provider:
    """The issuer that a provider's row describes.

    Raises ProviderClosed when it is not to be asked, VaultError when its secret does not open.
    """
    if not config.is_active:
        raise ProviderClosed("not in use")
    return ISSUERS[config.kind](config)
