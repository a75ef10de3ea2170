"""The product's own settings; tests change as little as they can."""

import os

# A test process beside others gets private servers of its own: what one leaves open in PostgreSQL
# holds back what another may seal, and both would ring the same Redis.
_worker = os.environ.get("PYTEST_XDIST_WORKER")
if _worker and os.path.basename(os.environ.get("ZONE_DATA", "")) != _worker:
    _home = os.environ.get("ZONE_DATA") or os.path.join(os.path.dirname(__file__), "..", ".zone")
    os.environ["ZONE_DATA"] = os.path.join(_home, _worker)

from zone.settings import *  # noqa: E402, F403
from zone.settings import STATIC_ROOT  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = False
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns when it is missing.
