"""A worker that takes nothing although messages wait ends itself, so that it is started again.

A Celery worker can outlive its connection to Redis: alive, and deaf for good
(https://github.com/celery/celery/issues/8091). Only the worker knows what it takes, so it watches
itself; whoever runs it (systemd, a container platform, the demo) starts what ends. A worker beside
one that does all the work is left alone: it is missed only once messages wait.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from billiard import active_children
from celery import bootsteps
from celery.worker import state
from django.conf import settings

from zone.core.drains import connect_briefly

LOOK_SECONDS = 5.0
LEAVE_SECONDS_MAX = 10.0

logger = logging.getLogger(__name__)


class Muteness:
    """How long messages have waited while nothing was taken. Knows no Celery and no Redis."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.taken = -1
        self.since = clock()
        self.idle_since = clock()

    def look(self, *, waiting: int | None, taken: int, is_busy: bool) -> float:
        """Seconds of muteness so far; 0 while there is an innocent reason to take nothing.

        `waiting` is None when nobody could say. Work under way excuses for as long as a task may
        take at most: what is still called busy then was lost with its connection.
        """
        now = self.clock()
        if not waiting or taken != self.taken:
            self.taken, self.since, self.idle_since = taken, now, now
        elif is_busy and now - self.since < settings.CELERY_TASK_TIME_LIMIT:
            self.idle_since = now
        return now - self.idle_since


class MuteWatch(bootsteps.StartStopStep):  # type: ignore[misc]
    """A thread beside Celery's consumer that ends the process when the consumer has gone deaf."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.is_over = threading.Event()
        self.queues = [queue.name for queue in parent.app.amqp.queues.consume_from.values()]

    def start(self, parent: Any) -> None:
        if settings.HAS_REDIS:
            threading.Thread(target=self._watch, name="mute watch", daemon=True).start()

    def stop(self, parent: Any) -> None:
        self.is_over.set()

    def _watch(self) -> None:
        muteness = Muteness()
        while not self.is_over.wait(LOOK_SECONDS):
            seconds = muteness.look(
                waiting=self._count_waiting(),
                taken=sum(state.total_count.values()),
                is_busy=bool(state.active_requests or state.reserved_requests),
            )
            if seconds >= settings.WORKER_MUTE_SECONDS:
                logger.critical("This worker takes nothing although messages wait: ending it")
                leave()
                return

    def _count_waiting(self) -> int | None:
        try:
            with connect_briefly() as client:
                return sum(int(client.llen(queue)) for queue in self.queues)  # type: ignore[arg-type]
        except (redis.RedisError, OSError):
            return None


def leave() -> None:
    """End this worker: politely, and after ten seconds whatever it is stuck in."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LEAVE_SECONDS_MAX)
    for child in active_children():
        if child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
    os._exit(os.EX_TEMPFAIL)
