"""Plain HTTP/1.1 to one address over kept connections, one for each thread that asks.

A worker asks an issuer hundreds of times a second; a general client's layers cost five times what
the exchange itself does. Nothing is followed, retried or decompressed here: one request, one
answer within its time and size, or WireError.
"""

import http.client
import select
import ssl
import threading
import time
from functools import lru_cache
from urllib.parse import urlsplit

import certifi

_CHUNK_BYTES = 65_536


class WireError(Exception):
    """No answer that can be read. Says a word why; what was asked may have been done."""


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


class Wire:
    """Connections to one address. Safe to share between threads."""

    def __init__(self, url: str, *, timeout: float) -> None:
        self.parts = urlsplit(url)
        self.timeout = timeout
        self.mine = threading.local()
        self.lock = threading.Lock()
        self.opened: set[http.client.HTTPConnection] = set()

    def close(self) -> None:
        """Let go of every connection, whichever thread opened it."""
        with self.lock:
            opened, self.opened = self.opened, set()
        for connection in opened:
            connection.close()

    def ask(
        self, method: str, path: str, *, body: bytes, headers: dict[str, str], bytes_max: int
    ) -> tuple[int, bytes]:
        """Status and content. Raises WireError.

        Never sends twice: a request whose answer was lost may have been acted upon.
        """
        connection = self._connection()
        until = time.monotonic() + self.timeout
        try:
            connection.request(method, self.parts.path.rstrip("/") + path, body, headers)
            response = connection.getresponse()
            content = self._read(response, until=until, bytes_max=bytes_max)
            response.close()  # Read to its end; the connection is free for the next request.
        except (OSError, http.client.HTTPException) as error:
            self._drop(connection)
            raise WireError(type(error).__name__) from error
        except WireError:
            self._drop(connection)
            raise
        if response.will_close:
            self._drop(connection)
        return response.status, content

    def _read(self, response: http.client.HTTPResponse, *, until: float, bytes_max: int) -> bytes:
        """The body, unless it is too long or drips in past the deadline."""
        content = bytearray()
        while part := response.read1(_CHUNK_BYTES):
            content += part
            if len(content) > bytes_max or time.monotonic() > until:
                raise WireError("answer too long or too slow")
        if response.length:
            raise WireError("answer cut short")
        return bytes(content)

    def _connection(self) -> http.client.HTTPConnection:
        """This thread's connection; a fresh one when the other side has closed it."""
        kept: http.client.HTTPConnection | None = getattr(self.mine, "connection", None)
        if kept is not None and kept.sock is not None and not _is_readable(kept):
            return kept
        if kept is not None:
            self._drop(kept)
        host, port = self.parts.hostname or "", self.parts.port
        made: http.client.HTTPConnection
        if self.parts.scheme == "https":
            made = http.client.HTTPSConnection(host, port, timeout=self.timeout, context=_tls())
        else:
            made = http.client.HTTPConnection(host, port, timeout=self.timeout)
        self.mine.connection = made
        with self.lock:
            self.opened.add(made)
        return made

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        self.mine.connection = None
        with self.lock:
            self.opened.discard(connection)


def _is_readable(connection: http.client.HTTPConnection) -> bool:
    """An idle connection with something to read was closed, or says what nobody asked for."""
    poll = select.poll()  # Unlike select, any number of open files will do.
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
