"""The worker's application, which dies once a message has left Redis and nothing says so yet.

Celery's transport takes a message with BRPOP and notes it as unacknowledged in a second step; a
power cut between the two loses it, whatever the settings say.
"""

from typing import Any

from kombu.transport.redis import QoS

from zone.celery import app
from zone.core.failpoints import failpoint

_append = QoS.append


def append(self: QoS, message: Any, delivery_tag: str) -> None:
    failpoint("worker_after_pop")
    _append(self, message, delivery_tag)


QoS.append = append
__all__ = ["app"]
