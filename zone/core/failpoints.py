"""Named places where a test lets a process die as if the power failed."""

import os
import signal

from django.conf import settings


def failpoint(name: str, subject: str = "") -> None:
    """End this process at once when `ZONE_FAILPOINT` names this place. Never in production.

    `name:subject` ends it only over that subject, and every time it comes by.
    """
    named = os.environ.get("ZONE_FAILPOINT")
    if named is None or settings.IS_PRODUCTION:
        return
    if named in {name, f"{name}:{subject}"}:
        os.kill(os.getpid(), signal.SIGKILL)
