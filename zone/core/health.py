"""Is this process alive, and can this node take writes now."""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock

import psycopg
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from zone.core.drains import is_broker_reachable
from zone.core.heartbeat import SILENT_SECONDS_MAX, find_silence

ANSWER_SECONDS_MAX = 1.0
CACHE_SECONDS = 2.0
CLOCK_SECONDS_MAX = 2.0
DISK_FREE_BYTES_MIN = 256 * 1024 * 1024
DRAINING_FILE = "draining"

_FACTS = """
SELECT pg_is_in_recovery(), clock_timestamp(), array(SELECT app || '.' || name FROM django_migrations)
"""


@dataclass(frozen=True)
class Readiness:
    """`faults` keep the node out of rotation; `degraded` is only told."""

    faults: list[str] = field(default_factory=list)
    degraded: list[str] = field(default_factory=list)

    @property
    def is_ready(self) -> bool:
        return not self.faults


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. Asks nothing of anybody else, so a slow database kills no process."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """This node can take writes: 200, else 503 and the names of what is missing."""
    expected_migrations()  # Reads files, once: that second is for the servers to answer in.
    readiness = _cache.get()
    answer = {
        "status": "ready" if readiness.is_ready else "not ready",
        "faults": readiness.faults,
        "degraded": readiness.degraded,
    }
    if readiness.is_ready:
        return JsonResponse(answer)
    return JsonResponse(answer, status=503, headers={"Retry-After": "5"})


for _view in (healthz, readyz):
    _view.is_open_to_all = True  # type: ignore[attr-defined]


def check() -> Readiness:
    """Look at everything a write needs. Takes at most about a second."""
    faults = []
    if (settings.ZONE_DATA / DRAINING_FILE).exists():
        faults.append("draining")
    faults += _database_faults()
    if shutil.disk_usage(settings.BASE_DIR).free < DISK_FREE_BYTES_MIN:
        faults.append("disk")
    return Readiness(faults, _find_degraded())


def _find_degraded() -> list[str]:
    """What makes members wait longer without keeping this node from its work."""
    if not is_broker_reachable():
        return ["redis"]
    silence = find_silence()
    return [] if silence is not None and silence < SILENT_SECONDS_MAX else ["workers"]


def _database_faults() -> list[str]:
    """Look through a connection of our own: a busy pool is no fault, a refused login is."""
    settings_of_app = connection.get_connection_params()
    for ours in ("pool", "context", "cursor_factory"):
        settings_of_app.pop(ours, None)
    settings_of_app |= {"connect_timeout": 1, "options": "-c statement_timeout=800ms"}
    try:
        with psycopg.connect(**settings_of_app, autocommit=True) as direct:
            row = direct.execute(_FACTS).fetchone()
    except psycopg.errors.UndefinedTable:
        return ["migrations"]
    except psycopg.Error:
        return ["database"]
    assert row is not None  # noqa: S101  a SELECT without FROM has one row
    is_in_recovery, database_now, applied = row
    faults = ["recovery"] if is_in_recovery else []
    if not expected_migrations() <= set(applied):
        faults.append("migrations")
    if abs((datetime.now(tz=UTC) - database_now).total_seconds()) > CLOCK_SECONDS_MAX:
        faults.append("clock")
    return faults


@lru_cache
def expected_migrations() -> frozenset[str]:
    """The migrations this code was written for; more may be applied, fewer may not."""
    nodes = MigrationLoader(None).disk_migrations
    return frozenset(f"{app}.{name}" for app, name in nodes)


class TimedCheck:
    """Keeps an answer for two seconds and never waits longer than one for a new one."""

    def __init__(self, look: Callable[[], Readiness]) -> None:
        self.look = look
        self.lock = Lock()
        self.answer = Readiness(["starting"])
        self.expires_at = 0.0
        self.pool: ThreadPoolExecutor | None = None

    def get(self) -> Readiness:
        with self.lock:
            if time.monotonic() < self.expires_at:
                return self.answer
            self.pool = self.pool or ThreadPoolExecutor(1, thread_name_prefix="readyz")
            try:
                self.answer = self.pool.submit(self.look).result(ANSWER_SECONDS_MAX)
            except TimeoutError:
                self.answer = Readiness(["database"])  # A silent one, or a disk that hangs.
                self.pool.shutdown(wait=False, cancel_futures=True)
                self.pool = None
            self.expires_at = time.monotonic() + CACHE_SECONDS
            return self.answer


_cache = TimedCheck(check)
