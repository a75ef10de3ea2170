"""Django's PostgreSQL backend with the cost of each request's connection taken out.

A connection goes back to its pool after every request, so whatever taking one out costs, every
page pays. Django asks the server for a sign of life each time: a round trip before the first
query. Here the socket is looked at instead, which sees a server that went away just as well, and
the server itself is asked only when a connection has lain still for a while.
"""

import select
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import (  # type: ignore[attr-defined]
    BaseTzLoader,
    get_adapters_template,
)
from psycopg import Connection, IsolationLevel
from psycopg.adapt import AdaptersMap
from psycopg_pool import ConnectionPool

# Longer than that, and something between us and the server may have forgotten the connection.
STILL_SECONDS_MAX = 5.0


def check_connection(connection: "Connection[Any]") -> None:
    """Raise OperationalError for a connection that is of no use any more.

    Between requests the server has nothing to say. When there is something to read all the same,
    it is a farewell, the end of the stream or a notice, and the server is asked.
    """
    now = time.monotonic()
    asked_at: float = getattr(connection, "zone_asked_at", 0.0)
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if now - asked_at <= STILL_SECONDS_MAX and not poll.poll(0):
        return
    ConnectionPool.check_connection(connection)
    connection.zone_asked_at = now  # type: ignore[attr-defined]


class InstantLoader(BaseTzLoader):  # type: ignore[misc]
    """Instants as every session of ours writes them: ISO 8601 in UTC, read by Python's own parser."""

    timezone = UTC

    def load(self, data: Any) -> datetime:
        text = bytes(data)
        if text.endswith(b"+00"):
            try:
                return datetime.fromisoformat(text.decode())
            except ValueError:
                pass  # Before the year 1, after 9999: said as it always was.
        instant: datetime = super().load(data)
        return instant


@lru_cache(maxsize=2)
def _adapters(template: AdaptersMap) -> AdaptersMap:
    adapters = AdaptersMap(template)
    adapters.register_loader("timestamptz", InstantLoader)
    return adapters


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of Django's, taken from and given to a pool that asks less of the server."""

    @property
    def pool(self) -> "ConnectionPool[Any] | None":
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        pools: dict[str, ConnectionPool[Any]] = self._connection_pools  # type: ignore[attr-defined]
        if self.alias not in pools:
            made = ConnectionPool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,
                configure=self._configure_connection,  # type: ignore[attr-defined]
                check=check_connection,
                **options,
            )
            made.open()  # Before anybody sees it: a pool that is not open has no connections.
            if pools.setdefault(self.alias, made) is not made:
                made.close()  # Of two threads the first one's counts.
        return pools[self.alias]

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """From the pool, where there is one; it was opened when it was made."""
        pool = self.pool
        if pool is None or "isolation_level" in self.settings_dict["OPTIONS"]:
            return super().get_new_connection(conn_params)
        self.isolation_level = IsolationLevel.READ_COMMITTED
        return pool.getconn()

    def get_connection_params(self) -> dict[str, Any]:
        """What a new connection is made with; a pool knows it since it was made."""
        if self.alias in self._connection_pools:  # type: ignore[attr-defined]
            return {}
        parameters: dict[str, Any] = super().get_connection_params()
        if self.timezone is UTC:
            parameters["context"] = _adapters(get_adapters_template(True, self.timezone))
        return parameters

    def _set_autocommit(self, autocommit: bool) -> None:
        """Django says it once more for each request; a connection of the pool is so already."""
        if self.connection is None or self.connection.autocommit != autocommit:
            super()._set_autocommit(autocommit)  # type: ignore[misc]
