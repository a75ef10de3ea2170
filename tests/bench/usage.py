"""CPU seconds by who used them: a process group, our PostgreSQL, our Redis."""

import os
from dataclasses import dataclass
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    web: float
    postgres: float
    redis: float

    def since(self, before: "Usage", requests: int) -> dict[str, float]:
        """Milliseconds for each request since then."""
        return {
            f"cpu_{name}_ms": 1000 * (getattr(self, name) - getattr(before, name)) / requests
            for name in ("web", "postgres", "redis")
        }


def _stat(pid: int | str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def group_seconds(group: int) -> float:
    """What a process group has used so far, its living members together."""
    stats = (_stat(place.name) for place in Path("/proc").glob("[0-9]*"))
    mine = [fields for fields in stats if fields and int(fields[2]) == group]
    return sum(int(fields[11]) + int(fields[12]) for fields in mine) / TICKS


class Meter:
    """Finds the servers once; reads what they have used."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.postmaster = int(_stat(cursor.fetchone()[0])[1])  # The parent of a backend.
        connection.close()
        self.redis_pid = 0
        if settings.HAS_REDIS:
            with redis.Redis.from_url(settings.REDIS_URL) as client:
                self.redis_pid = int(client.info("server")["process_id"])

    def read(self, group: int) -> Usage:
        return Usage(group_seconds(group), self._postgres(), self._redis())

    def _postgres(self) -> float:
        """The postmaster, its living children, and those it has buried."""
        own = _stat(self.postmaster)
        ticks = sum(int(value) for value in own[11:15])
        for place in Path("/proc").glob("[0-9]*"):
            fields = _stat(place.name)
            if fields and int(fields[1]) == self.postmaster:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def _redis(self) -> float:
        fields = _stat(self.redis_pid) if self.redis_pid else []
        return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0
