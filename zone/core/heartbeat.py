"""When a worker last finished something: beat asks for a beat of the heart, a worker gives it.

A process that lives proves nothing: a worker may be deaf, or beat silent. That a task was sent,
taken and finished proves all of it at once.
"""

import time

import redis

from zone.core.drains import connect_briefly

KEY = "zone:heartbeat"
SILENT_SECONDS_MAX = 60.0
_KEPT_SECONDS = 86_400


def give_heartbeat() -> None:
    """A worker has just finished something."""
    with connect_briefly() as client:
        client.set(KEY, str(time.time()), ex=_KEPT_SECONDS)


def find_silence() -> float | None:
    """Seconds since a worker finished something; None when none ever did, as far as Redis knows."""
    try:
        with connect_briefly() as client:
            said = client.get(KEY)
        return max(0.0, time.time() - float(said)) if said else None  # type: ignore[arg-type]
    except (redis.RedisError, OSError, ValueError):
        return None
