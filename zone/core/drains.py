"""What a worker does while it cannot hear Redis: look for waiting rows by itself.

Rooms name their drains in `settings.ZONE_DRAINS`, by dotted path. A drain is a function without
arguments that takes what is due in batches and may run in several processes at once; the same
function is the body of the room's Celery task.
"""

import logging
import threading
import time
from typing import Any

import redis
from celery import bootsteps
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from redis.backoff import NoBackoff
from redis.retry import Retry

DRAIN_SECONDS = 5.0
# Celery waits up to half a minute before it tries a lost broker again.
AFTERGLOW_SECONDS = 45.0
KNOCK_KEY = "zone:knock"

logger = logging.getLogger(__name__)


def run_drains() -> None:
    """Run each drain once. One that fails is logged and does not keep the others from running."""
    for path in settings.ZONE_DRAINS:
        try:
            import_string(path)()
        except Exception:
            logger.exception("A drain failed", extra={"drain": path})


def connect_briefly() -> redis.Redis:
    """A client of Redis that gives up within half a second and never tries twice."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )


def is_broker_reachable() -> bool:
    """Whether Redis takes a write within half a second. False where there is none.

    One that is full or has become somebody's replica answers, and yet no message gets through it.
    """
    if not settings.HAS_REDIS:
        return False
    try:
        with connect_briefly() as client:
            return bool(client.set(KNOCK_KEY, "1", ex=60))
    except (redis.RedisError, OSError):
        return False


class DrainTimer(bootsteps.StartStopStep):  # type: ignore[misc]
    """A thread beside Celery's consumer: it needs no broker to start and none to go on."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.is_over = threading.Event()
        self.thread: threading.Thread | None = None

    def start(self, parent: Any) -> None:
        self.thread = threading.Thread(target=self._work, name="drains", daemon=True)
        self.thread.start()

    def stop(self, parent: Any) -> None:
        self.is_over.set()

    def _work(self) -> None:
        drain_until = 0.0
        was_reachable = True
        while not self.is_over.wait(DRAIN_SECONDS):
            is_reachable = is_broker_reachable()
            if not is_reachable:
                drain_until = time.monotonic() + AFTERGLOW_SECONDS
            if is_reachable != was_reachable:
                logger.warning("Redis is %s", "back" if is_reachable else "away: draining by timer")
                was_reachable = is_reachable
            if time.monotonic() < drain_until:
                run_drains()
                connection.close()
