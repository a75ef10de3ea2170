"""Calling an address that a partner gave us, without becoming its hand inside our own network.

A name is looked up once and the addresses it gave are judged and connected to: what was checked is
what is called, whatever the name says a moment later. No redirect is followed, no proxy of the
environment is asked, and an answer has its time and its size
(https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

import http.client
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import certifi
from django.conf import settings
from django.utils.translation import gettext_lazy as _

PORTS = {443, 8443}
URL_LETTERS_MAX = 500
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
ANSWER_BYTES_MAX = 65_536
KEPT_LETTERS = 1024
# Letters, digits and hyphens, two labels at least, and a last one that is no number (RFC 1123).
_HOST = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
    re.ASCII,
)
_PLAIN = re.compile(r"[\x21-\x7e]+", re.ASCII)
# Public by their number, and yet a way to somebody else's: relays and translations
# (https://www.iana.org/assignments/iana-ipv6-special-registry).
_TRANSLATED = [
    ip_network(network)
    for network in ("192.88.99.0/24", "2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")
]
_UNICAST = ip_network("2000::/3")


class AddressRefused(Exception):
    """An address that nothing is sent to: in one word, and in a sentence for whoever gave it."""

    def __init__(self, fault: str, why: object) -> None:
        super().__init__(fault)
        self.fault, self.why = fault, why


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes: the name for the certificate, and the addresses that were judged."""

    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """How a call ended: a status, or the word of a fault."""

    milliseconds: int
    status: int | None = None
    fault: str = ""
    answer: str = ""
    retry_after: str = ""

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def read_address(url: str) -> Target:
    """Where `url` leads, by a fresh look at its name. Raises AddressRefused.

    Taken are https, ports 443 and 8443, a public host name, and no address on the inside. Networks
    in `WEBHOOK_INNER_NETWORKS` count as public, on any port: for receivers beside us.
    """
    if len(url) > URL_LETTERS_MAX or not _PLAIN.fullmatch(url) or "\\" in url:
        raise AddressRefused("unreadable", _("This is not a plain address."))
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError as error:
        raise AddressRefused("unreadable", _("This is not a plain address.")) from error
    if parts.scheme != "https":
        raise AddressRefused("scheme", _("The address must begin with https://."))
    if "@" in parts.netloc:
        raise AddressRefused("user_info", _("The address must not hold a user's name."))
    if parts.fragment:
        raise AddressRefused("unreadable", _("The address must not hold a #."))
    host = (parts.hostname or "").lower()
    if not _HOST.fullmatch(host):
        raise AddressRefused("host", _("The host must be a public name, not a number."))
    if port not in PORTS and not settings.WEBHOOK_INNER_NETWORKS:
        raise AddressRefused("port", _("The port must be 443 or 8443."))
    addresses = _look_up(host, port)
    for address in addresses:
        is_inner = _is_allowed_inside(address)
        if not is_inner and not is_public(address):
            raise AddressRefused("blocked_address", _("This name leads inside a network."))
        if not is_inner and port not in PORTS:
            raise AddressRefused("port", _("The port must be 443 or 8443."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port, path, addresses)


def _look_up(host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused("unresolved", _("This name is not known.")) from error
    addresses = tuple(dict.fromkeys(str(row[4][0]) for row in found))
    if not addresses:
        raise AddressRefused("unresolved", _("This name is not known."))
    return addresses


def is_public(address: str) -> bool:
    """Whether an address is one host's on the open internet, in no wrapping of another address."""
    try:
        number = ip_address(address)
    except ValueError:  # With a zone, as fe80::1%eth0, or not one at all.
        return False
    if any(number in network for network in _TRANSLATED):
        return False
    if isinstance(number, IPv6Address) and number not in _UNICAST:
        return False
    return number.is_global and not number.is_multicast and not number.is_reserved


def _is_allowed_inside(address: str) -> bool:
    number: IPv4Address | IPv6Address
    try:
        number = ip_address(address)
    except ValueError:
        return False
    return any(number in ip_network(network) for network in settings.WEBHOOK_INNER_NETWORKS)


def post(url: str, *, body: bytes, headers: dict[str, str], seconds: float) -> Heard:
    """Send once, and what came of it. Never raises: whatever goes wrong is a fault in one word."""
    began = time.monotonic()

    def took() -> int:
        return round((time.monotonic() - began) * 1000)

    try:
        target = read_address(url)
    except AddressRefused as refusal:
        return Heard(took(), fault=refusal.fault)
    connection = _PinnedConnection(target, timeout=min(CONNECT_SECONDS, seconds))
    # Each read has its own patience; a receiver that drips would have all of them.
    alarm = threading.Timer(seconds, connection.cut)
    alarm.daemon = True
    alarm.start()
    try:
        connection.request("POST", target.path, body, {**headers, "Connection": "close"})
        response = connection.getresponse()
        answer = response.read(ANSWER_BYTES_MAX)
        if connection.is_cut:  # Then what was read ends where it was cut.
            return Heard(took(), fault="timeout")
        return Heard(
            took(),
            status=response.status,
            answer=answer[: 4 * KEPT_LETTERS].decode(errors="replace")[:KEPT_LETTERS],
            retry_after=response.headers.get("Retry-After", ""),
        )
    except Exception as error:  # A receiver may say anything; none of it may stop the others.
        return Heard(took(), fault="timeout" if connection.is_cut else _word_for(error))
    finally:
        alarm.cancel()
        connection.close()


def _word_for(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "certificate" if isinstance(error, ssl.SSLCertVerificationError) else "tls"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, OSError):
        return "connection"
    return "unreadable_answer"


class _PinnedConnection(http.client.HTTPSConnection):
    """Connects to the addresses that were judged, under the name that was asked for."""

    def __init__(self, target: Target, *, timeout: float) -> None:
        context = _tls(settings.WEBHOOK_CA_FILE)
        super().__init__(target.host, target.port, timeout=timeout, context=context)
        self.addresses = target.addresses
        self.tls = context
        self.is_cut = False

    def connect(self) -> None:
        """One address after the other, within the patience for all of them."""
        until = time.monotonic() + float(self.timeout or CONNECT_SECONDS)
        failed: OSError | None = None
        for address in self.addresses:
            left = until - time.monotonic()
            if left <= 0:
                break
            try:
                plain = socket.create_connection((address, self.port), timeout=left)
            except OSError as error:
                failed = error
                continue
            plain.settimeout(ANSWER_SECONDS)
            secure = self.tls.wrap_socket(
                plain, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = secure
            secure.do_handshake()
            return
        raise failed or TimeoutError("no address answered in time")

    def cut(self) -> None:
        """Time is up: whoever waits for this connection hears its end."""
        self.is_cut = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=4)
def _tls(own_authority: str) -> ssl.SSLContext:
    """Who vouches for receivers: the public authorities, and ours for receivers beside us."""
    context = ssl.create_default_context(cafile=certifi.where())
    if own_authority:
        context.load_verify_locations(cafile=own_authority)
    return context
