"""The door in front of a rush: a hot release lets in as many as there is stock for, and no more.

One call of a script in Redis admits a member, or says that enough have been let in. It holds no
stock and decides nothing: whoever is let in asks the database, and whoever is not is asked to try
again. A Redis that was emptied, restored or lost can only admit too many or too few for a moment.
"Sold out" is said from here only in the 200 ms after the database itself said it to this process.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from benefits.errors import Busy

REDIS_TIMEOUT_SECONDS = 0.2
BREAKER_SECONDS = 5.0
SOLD_OUT_SECONDS = 0.2
LIKELY_SECONDS = 10.0
ROUND_SECONDS = 10  # Whoever was let in and went away makes room in the next round.
ROOM_PERCENT = 102
# Without Redis each process lets in this many a second by itself, with as much in one burst.
LOCAL_PER_SECOND = 200.0

# The room and the seconds until all of it is forgotten, then who comes; 1 for each who is let in.
_ADMIT = """
local room = tonumber(ARGV[1]) - redis.call('SCARD', KEYS[1])
local told = {}
for nth = 3, #ARGV do
    local is_in = redis.call('SISMEMBER', KEYS[1], ARGV[nth])
    if is_in == 0 and room > 0 then
        is_in = redis.call('SADD', KEYS[1], ARGV[nth])
        room = room - 1
    end
    told[nth - 2] = is_in
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return told
"""

_ADMIT_HASH = hashlib.sha1(_ADMIT.encode(), usedforsecurity=False).hexdigest()

log = logging.getLogger(__name__)


class Tokens:
    """So many a second in this process, and no more than a second's worth at once."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self.left = per_second
        self.at = time.monotonic()
        self.lock = threading.Lock()

    def take(self) -> bool:
        with self.lock:
            now = time.monotonic()
            self.left = min(self.per_second, self.left + (now - self.at) * self.per_second)
            self.at = now
            if self.left < 1:
                return False
            self.left -= 1
            return True


class Gate:
    """One process's side of the door."""

    def __init__(self) -> None:
        self.sold_out_until: dict[int, float] = {}
        self.closed_until = 0.0
        self.tokens = Tokens(LOCAL_PER_SECOND)
        self.client: redis.Redis | None = None
        self.own = threading.local()  # Each thread's connection.

    def admit(self, *, release_id: int, stock: int, visitor: str) -> None:
        """Let somebody through to the database. Raises Busy when enough are inside.

        A visitor who was let in is let in again: a repeated request gets its answer.
        """
        if not self.admit_all(release_id=release_id, stock=stock, visitors=[visitor])[0]:
            raise Busy()

    def admit_all(self, *, release_id: int, stock: int, visitors: Sequence[str]) -> list[bool]:
        """Who of several is let through, in one call."""
        if not settings.HAS_REDIS or time.monotonic() < self.closed_until:
            return [self.tokens.take() for _ in visitors]
        room = -(-stock * ROOM_PERCENT // 100)
        try:
            # The braces keep a release's keys on one node of a cluster.
            key = f"zone:gate:{{{release_id}}}:{int(time.time()) // ROUND_SECONDS}"
            told = self._run(key, str(room), str(ROUND_SECONDS * 2), *visitors)
            return [bool(one) for one in told]
        except redis.RedisError as error:
            self.closed_until = time.monotonic() + BREAKER_SECONDS
            log.warning("the gate is without Redis", extra={"why": type(error).__name__})
            return [self.tokens.take() for _ in visitors]

    def note_sold_out(self, release_id: int) -> None:
        """The database has just said so."""
        if len(self.sold_out_until) > 1000:
            self.sold_out_until.clear()
        self.sold_out_until[release_id] = time.monotonic() + SOLD_OUT_SECONDS

    def is_sold_out(self, release_id: int) -> bool:
        """Whether the database said "sold out" to this process a moment ago."""
        return time.monotonic() < self.sold_out_until.get(release_id, 0.0)

    def was_sold_out(self, release_id: int) -> bool:
        """Whether it said so within the last seconds: then one look is likely to say it again."""
        return time.monotonic() < self.sold_out_until.get(release_id, 0.0) + LIKELY_SECONDS

    def _run(self, *arguments: str) -> Any:
        """The script's answer: one write and one read on a connection that stays open.

        The library's own way to a command costs as much as the rest of a refusal. Raises
        RedisError.
        """
        connection: Any = getattr(self.own, "connection", None)
        is_new = connection is None
        if is_new:
            connection = self.own.connection = self._client().connection_pool.make_connection()
        try:
            try:
                return _ask(connection, "EVALSHA", _ADMIT_HASH, "1", *arguments)
            except redis.exceptions.NoScriptError:
                return _ask(connection, "EVAL", _ADMIT, "1", *arguments)
        except redis.RedisError as error:
            connection.disconnect()  # Half an answer may still be on its way.
            self.own.connection = None
            if is_new or not isinstance(error, redis.ConnectionError):
                raise
        return self._run(*arguments)  # A Redis that was restarted meanwhile is asked anew.

    def _client(self) -> redis.Redis:
        if self.client is None:
            self.client = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=REDIS_TIMEOUT_SECONDS,
                socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        return self.client


def _ask(connection: Any, *words: str) -> Any:
    """A command as RESP writes it (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""
    parts = [f"*{len(words)}\r\n"]
    parts += [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    connection.send_packed_command(["".join(parts).encode()], check_health=False)
    return connection.read_response()


gate = Gate()
