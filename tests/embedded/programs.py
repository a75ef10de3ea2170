"""Small programs that use the private servers of a folder, and what is left of them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

_USE = """
import sys, time
from pathlib import Path
from zone.embedded import servers
found = servers.connect(Path(sys.argv[1]), database=True, redis=True)
print(found.database_url, found.redis_url, flush=True)
sys.stdin.read()
"""


class Program:
    """A program that joined the servers of `folder` and waits; `urls` is what it was told."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USE, str(folder)],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._urls: list[str] = []

    @property
    def urls(self) -> list[str]:
        if not self._urls:
            assert self.process.stdout is not None
            self._urls = self.process.stdout.readline().split()
            assert len(self._urls) == 2, "the program did not reach its servers"
        return self._urls

    def leave(self) -> None:
        """Let it end by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.close()

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Nothing of it is left. Safe to repeat."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


def server_pids(folder: Path) -> list[int]:
    """Processes that belong to `folder`: keepers, PostgreSQL and its children, Redis."""
    mark = str(folder)
    rows = [
        row.split(maxsplit=2)
        for row in subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,ppid=,command="],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    ]
    own = {
        int(pid)
        for pid, _, command in rows
        if mark in command
        and any(name in command for name in ("embedded.keeper", "/postgres ", "redis-server"))
    }
    children = {int(pid) for pid, parent, _ in rows if int(parent) in own}
    return sorted((own | children) - {os.getpid()})


def keeper_pid(folder: Path, name: str) -> int:
    return int(json.loads((folder / "run" / f"{name}.json").read_text())["pid"])


def wait_until(is_so: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
