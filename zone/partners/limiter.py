"""Rate limits, counted exactly: one atomic step in Redis, or one upsert in PostgreSQL.

A window begins with its first call and lasts its policy's seconds, so waiting until it ends
always succeeds. While Redis is away PostgreSQL counts instead, with half the quota, because the
calls before the fault are forgotten: limits become stricter, never absent.
"""

import logging
import math
import threading
import time
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from zone.partners.errors import RateLimited

logger = logging.getLogger(__name__)

REDIS_TIMEOUT_SECONDS = 0.2
BREAKER_FAULTS = 3
BREAKER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    quota: int
    seconds: int


DEFAULT = Policy("default", 1200, 60)
WRITES = Policy("writes", 600, 60)
ITEMS = Policy("items", 60_000, 60)
TOKEN = Policy("token", 30, 60)
REVEAL = Policy("reveal", 60, 60)
VALIDATE = Policy("validate", 300, 60)
BAD_CODES = Policy("bad_codes", 30, 600)
MEMBER = Policy("member", 10, 60)


@dataclass(frozen=True, slots=True)
class Window:
    """Where a subject stands under one policy after a call."""

    policy: str
    quota: int
    seconds: int
    remaining: int
    seconds_left: int
    is_over: bool


# All windows are looked at first: a call that one of them refuses counts against none.
_COUNT = """
local answer, refused = {}, false
for i, key in ipairs(KEYS) do
  local quota, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i])
  local count, left = tonumber(redis.call('GET', key) or '0'), redis.call('PTTL', key)
  if left < 0 then count, left = 0, tonumber(ARGV[3 * i - 1]) end
  local over = count + cost > quota
  refused = refused or over
  answer[i] = {count, left, over and 1 or 0}
end
if not refused then
  for i, key in ipairs(KEYS) do
    local cost = tonumber(ARGV[3 * i])
    if answer[i][1] == 0 then redis.call('SET', key, cost, 'PX', answer[i][2])
    else redis.call('INCRBY', key, cost) end
    answer[i][1] = answer[i][1] + cost
  end
end
return answer
"""


def count_call(policies: list[Policy], subject: str, cost: int = 1) -> list[Window]:
    """Count one call of `subject` under each policy, or under none when one refuses."""
    if not settings.HAS_REDIS:
        return [count_in_database(policy, subject, cost) for policy in policies]
    if _breaker.is_closed():
        try:
            windows = _count_in_redis(policies, subject, cost)
        except redis.RedisError as error:
            _breaker.note_fault()
            logger.warning("rate limits fall back to the database", extra={"why": str(error)})
        else:
            _breaker.note_success()
            return windows
    return [count_in_database(_stricter(policy), subject, cost) for policy in policies]


def count_in_database(policy: Policy, subject: str, cost: int = 1) -> Window:
    """Count in PostgreSQL: exact whatever Redis does, and undone with the transaction around it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO partners_ratewindow AS w (policy, subject, started_at, count)
            VALUES (%(policy)s, %(subject)s, zone_now(), %(cost)s)
            ON CONFLICT ON CONSTRAINT partners_ratewindow_subject DO UPDATE SET
                count = CASE WHEN w.started_at + %(lasts)s <= excluded.started_at
                             THEN excluded.count
                             ELSE least(w.count + excluded.count, %(ceiling)s) END,
                started_at = CASE WHEN w.started_at + %(lasts)s <= excluded.started_at
                                  THEN excluded.started_at ELSE w.started_at END
            RETURNING count, extract(epoch FROM started_at + %(lasts)s - zone_now())
            """,
            {
                "policy": policy.name,
                "subject": subject,
                "cost": cost,
                "ceiling": policy.quota + 1,
                "lasts": f"{policy.seconds} seconds",
            },
        )
        count, left = cursor.fetchone()
    return _window(policy, count, float(left), is_over=count > policy.quota)


def refuse_over_limit(windows: list[Window]) -> None:
    """Raise RateLimited, with how long to wait, when any window is over its quota."""
    over = [window for window in windows if window.is_over]
    if over:
        wait = max(window.seconds_left for window in over)
        raise RateLimited(
            violated_policies=[window.policy for window in over],
            headers={"Retry-After": str(wait)},
        )


def limit_headers(windows: list[Window]) -> dict[str, str]:
    """The fields of draft-ietf-httpapi-ratelimit-headers; `RateLimit` shows the tightest window."""
    if not windows:
        return {}
    tightest = min(windows, key=lambda window: window.remaining / window.quota)
    policies = [f'"{window.policy}";q={window.quota};w={window.seconds}' for window in windows]
    return {
        "RateLimit-Policy": ", ".join(policies),
        "RateLimit": f'"{tightest.policy}";r={tightest.remaining};t={tightest.seconds_left}',
    }


def _count_in_redis(policies: list[Policy], subject: str, cost: int) -> list[Window]:
    # The braces keep one subject's windows on one node of a cluster.
    keys = [f"zone:rate:{{{subject}}}:{policy.name}" for policy in policies]
    arguments = [
        value for policy in policies for value in (policy.quota, policy.seconds * 1000, cost)
    ]
    rows = _connect().eval(_COUNT, len(keys), *keys, *arguments)
    return [
        _window(policy, count, left / 1000, is_over=bool(over))
        for policy, (count, left, over) in zip(policies, rows, strict=True)
    ]


def _window(policy: Policy, count: int, left: float, *, is_over: bool) -> Window:
    return Window(
        policy=policy.name,
        quota=policy.quota,
        seconds=policy.seconds,
        remaining=max(0, policy.quota - count),
        seconds_left=max(1, math.ceil(left)),
        is_over=is_over,
    )


def _stricter(policy: Policy) -> Policy:
    return Policy(policy.name, max(1, policy.quota // 2), policy.seconds)


class _Breaker:
    """Leave Redis alone for a while after several faults in a row, so callers do not wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults = 0
        self._open_until = 0.0

    def is_closed(self) -> bool:
        return time.monotonic() >= self._open_until

    def note_fault(self) -> None:
        with self._lock:
            self._faults += 1
            if self._faults >= BREAKER_FAULTS:
                self._open_until = time.monotonic() + BREAKER_SECONDS
                self._faults = 0

    def note_success(self) -> None:
        self._faults = 0


_breaker = _Breaker()
_clients: dict[str, redis.Redis] = {}


def _connect() -> redis.Redis:
    """One client per address and process; it holds its own pool."""
    url = settings.REDIS_URL
    if url not in _clients:
        _clients[url] = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    return _clients[url]
