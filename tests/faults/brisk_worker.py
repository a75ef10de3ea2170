"""The worker's application, which looks about more often than the product's: for tests that wait.

What it does when it has looked, and after how long it gives up on its own hearing, is the same.
"""

from zone.celery import app
from zone.core import drains, watchdog

drains.DRAIN_SECONDS = 1.0
watchdog.LOOK_SECONDS = 1.0
watchdog.LEAVE_SECONDS_MAX = 2.0
__all__ = ["app"]
