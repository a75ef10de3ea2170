"""The Celery application. Tasks live in each room's `tasks.py`.

Redis only wakes workers up; what is to be done stands in the database. So a publisher gives up
within half a second, a worker that cannot reach Redis looks for itself (`zone.core.drains`), and
one that has gone deaf to it ends and is started again (`zone.core.watchdog`).
"""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zone.settings")
# What `check` and `prepare` have looked over is not looked over again in every worker: that takes
# as long as all the rest of its start, and reads every page and the console.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
app = Celery("zone")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Having a receiver here keeps Celery from replacing the JSON log of the settings."""


@app.on_after_configure.connect
def add_watches(sender: Celery, **_: Any) -> None:
    from zone.core.drains import DrainTimer  # Django's settings are ready only now.
    from zone.core.watchdog import MuteWatch

    sender.steps["worker"].update({DrainTimer, MuteWatch})
