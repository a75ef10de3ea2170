"""Named places where a test lets a process die as if the power failed."""

import os
import signal

from django.conf import settings


def failpoint(name: str) -> None:
    """End this process at once when `ZONE_FAILPOINT` names this place. Never in production."""
    if os.environ.get("ZONE_FAILPOINT") == name and not settings.IS_PRODUCTION:
        os.kill(os.getpid(), signal.SIGKILL)
