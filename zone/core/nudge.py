"""Waking a worker: best effort, after the commit, and never in anybody's way.

The row is the message; a nudge only says "look now". A thread of this process rings, so no
request waits for Redis, whether it refuses, is silent or cannot be found. A lost nudge costs
seconds: beat and the workers' own timer find the row.
"""

import atexit
import logging
import os
import threading
import time

from celery import Celery, current_app
from django.db import transaction

RING_SECONDS_MAX = 0.5
BREAKER_SECONDS = 5.0

logger = logging.getLogger(__name__)


def nudge(task_name: str) -> None:
    """Ring for `task_name` once the open transaction commits, or now when there is none.

    Returns at once and never raises. Several nudges for one task may become one.
    """
    transaction.on_commit(lambda: _bell.ring(task_name), robust=True)


class Bell:
    """A thread that publishes; names wait in a set, so it can neither grow nor fall behind."""

    def __init__(self, app: Celery | None = None) -> None:
        self.app = app or current_app
        self.process = 0
        self.closed_until = 0.0
        self._reset()

    def ring(self, name: str) -> None:
        if time.monotonic() < self.closed_until:
            return  # The broker failed a moment ago; the timers have taken over.
        if self.process != os.getpid():
            self._start()  # Threads do not survive a fork.
        with self.change:
            self.names.add(name)
            self.change.notify_all()

    def flush(self, seconds: float = RING_SECONDS_MAX) -> bool:
        """Wait until every name was rung, at most `seconds`; for the end of short programs."""
        if self.process != os.getpid():
            return True
        with self.change:
            return self.change.wait_for(lambda: not self.names and not self.is_ringing, seconds)

    def _reset(self) -> None:
        self.names: set[str] = set()
        self.is_ringing = False
        self.change = threading.Condition()

    def _start(self) -> None:
        self.process = os.getpid()
        self._reset()
        threading.Thread(target=self._work, name="nudge", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self.change:
                self.change.wait_for(lambda: self.names)
                name = self.names.pop()
                self.is_ringing = True
            is_rung = self._publish(name)
            with self.change:
                if not is_rung:
                    self.closed_until = time.monotonic() + BREAKER_SECONDS
                    self.names.clear()
                self.is_ringing = False
                self.change.notify_all()

    def _publish(self, name: str) -> bool:
        try:
            self.app.send_task(name, retry=False, expires=60)
        except Exception as error:
            logger.warning("A nudge was lost", extra={"task": name, "why": type(error).__name__})
            return False
        return True


_bell = Bell()
atexit.register(_bell.flush)
