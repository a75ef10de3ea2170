"""The web application with one of its guards taken away, named by `TEST_CARELESS`: for controls.

A fault test that passes without the guard it is about proves nothing. A control runs the fault
against this application and must see the harm.
"""

import os
from typing import Any
from unittest.mock import patch

from celery import current_app
from django.db import transaction

from zone.wsgi import application


def wait_for_the_bell(task_name: str) -> None:
    transaction.on_commit(lambda: current_app.send_task(task_name, retry=False, expires=60))


def nothing(*_: Any, **__: Any) -> None:
    return None


GUARDS: dict[str, dict[str, Any]] = {
    # A form that was sent before is as good as new.
    "memory": {"benefits.queries.find_claim": nothing},
    # One key, whatever it is sent for.
    "comparison": {
        "benefits.services.claims._refuse_another_request": nothing,
        "zone.partners.resources.fingerprint": lambda **_: b"the same",
    },
    # Whoever claims waits until Redis has taken the message.
    "bell": {"benefits.services.claims.nudge": wait_for_the_bell},
}

for place, instead in GUARDS[os.environ["TEST_CARELESS"]].items():
    patch(place, instead).start()

__all__ = ["application"]
