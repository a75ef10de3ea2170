"""Strict reading of the environment: nonsense stops the program and names the variable."""

import base64
import binascii
import os
from ipaddress import ip_network
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def _refuse(name: str, why: str) -> NoReturn:
    raise ImproperlyConfigured(f"{name}: {why}")


def text(name: str, default: str | None = None, *, choices: set[str] | None = None) -> str:
    """The value of `name`, or of the file that `name`_FILE points at.

    Raises ImproperlyConfigured when neither is set and there is no default, when both are set,
    when the file cannot be read, or when the value is not one of `choices`.
    """
    value = os.environ.get(name)
    file_name = os.environ.get(f"{name}_FILE")
    if value is not None and file_name is not None:
        _refuse(name, f"set it or {name}_FILE, not both.")
    if file_name is not None:
        try:
            value = Path(file_name).read_text(encoding="utf-8").strip()
        except OSError as error:
            _refuse(f"{name}_FILE", f"cannot read {file_name}: {error.strerror}.")
    if value is None:
        if default is None:
            _refuse(name, "is not set and has no default.")
        return default
    value = value.strip()
    if choices is not None and value not in choices:
        _refuse(name, f"must be one of {', '.join(sorted(choices))}, not {value!r}.")
    return value


def number(name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
    """The whole number in `name`. Raises ImproperlyConfigured outside `least`..`most`."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError:
        _refuse(name, f"must be a whole number, not {raw!r}.")
    if not least <= value <= most:
        _refuse(name, f"must be between {least} and {most}, not {value}.")
    return value


def boolean(name: str, default: bool) -> bool:
    """The yes or no in `name`. Raises ImproperlyConfigured for anything that is neither."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    word = raw.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    _refuse(name, f"must be true or false, not {raw!r}.")


def words(name: str, default: list[str]) -> list[str]:
    """The comma-separated list in `name`, without empty parts."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    return [part.strip() for part in raw.split(",") if part.strip()]


def networks(name: str) -> list[str]:
    """The address ranges in `name`, such as 10.0.0.0/8. Raises ImproperlyConfigured."""
    read = words(name, [])
    for part in read:
        try:
            ip_network(part)
        except ValueError:
            _refuse(name, f"{part!r} is no network such as 10.0.0.0/8.")
    return read


def address(name: str, *, allows_http: bool) -> str:
    """The web address in `name`, empty when it is not set. Raises ImproperlyConfigured."""
    value = text(name, "")
    if not value:
        return ""
    schemes = {"https", "http"} if allows_http else {"https"}
    try:
        parts = urlsplit(value)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or parts.scheme not in schemes or parts.username or parts.fragment:
        _refuse(name, f"must be an {' or '.join(sorted(schemes))} address without a name in it.")
    return value


def webhook_secret(name: str) -> str:
    """A secret as Standard Webhooks writes it: whsec_ and the base64 of 24 to 64 bytes."""
    value = text(name)
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not value.startswith("whsec_") or not 24 <= len(key) <= 64:
        _refuse(name, "must be whsec_ and the base64 of 24 to 64 bytes.")
    return value
