"""The process that owns one private server: `python -m zone.embedded.keeper NAME FOLDER`.

Started by whoever needs the server first. It starts the server, starts it again when it dies,
and stops it once no program holds the users' lock any more.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Protocol

from zone.embedded.folder import Folder, Lock
from zone.embedded.postgres import Postgres
from zone.embedded.redis import Redis
from zone.embedded.refusal import CannotStart

LINGER_SECONDS = 2.0  # One command often follows another.
POLL_SECONDS = 0.2
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
RESTART_SECONDS_MAX = 5.0
LOG_BYTES_MAX = 20 * 1024 * 1024


class Server(Protocol):
    name: str
    stop_signal: signal.Signals
    log: Path

    def prepare(self) -> None: ...
    def start(self, log: Any) -> subprocess.Popen[bytes]: ...
    def is_ready(self, process: int) -> bool: ...
    def facts(self) -> dict[str, str]: ...
    def explain(self, tail: str) -> CannotStart: ...
    def repair(self) -> bool: ...


SERVERS: dict[str, type[Postgres] | type[Redis]] = {"postgresql": Postgres, "redis": Redis}


def state_path(folder: Folder, name: str) -> Path:
    """Where the keeper says how to reach its server, or why it cannot be had."""
    return folder.run / f"{name}.json"


def main(name: str, root: str) -> None:
    folder = Folder(Path(root))
    own = folder.lock(f"{name}.keeper")
    if not own.try_take():
        return  # Somebody else was first and keeps it.
    if os.fork():
        # The starter waits for this exit; the lock is held by the child from here on.
        os._exit(0)
    os.setsid()
    os.chdir(folder.root)
    with contextlib.suppress(CannotStart, KeyboardInterrupt):
        Keeper(folder, name, own).run()


class Keeper:
    def __init__(self, folder: Folder, name: str, own: Lock) -> None:
        self.folder = folder
        self.own = own
        self.users = folder.lock(f"{name}.users")
        self.state = state_path(folder, name)
        self.is_told_to_stop = False
        try:
            self.server: Server = SERVERS[name](folder)
        except CannotStart as refusal:
            self._write({"error": refusal.sentence})
            raise

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop_soon)
        child = None
        try:
            child = self._start_until_ready()
            self._write({**self.server.facts(), "pid": str(os.getpid())})
            child = self._watch(child)
        except CannotStart as refusal:
            self._write({"error": refusal.sentence})
            raise
        finally:
            if child is not None:
                if not self.own.is_in_place():
                    child.kill()  # Its files are gone, it cannot stop in good order.
                self._stop(child)
            # The next keeper must not be taken for this one.
            if self.own.is_in_place() and "error" not in self._read():
                self.state.unlink(missing_ok=True)

    def _watch(self, child: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Return once nobody needs the server, its folder is gone or we are told to stop."""
        idle_since = None
        pause = POLL_SECONDS
        while not self.is_told_to_stop and self.own.is_in_place():
            time.sleep(POLL_SECONDS)
            if child.poll() is not None:
                time.sleep(pause)
                pause = min(pause * 2, RESTART_SECONDS_MAX)
                with contextlib.suppress(CannotStart):
                    child = self._start_until_ready()
                    pause = POLL_SECONDS
            if not self.users.try_take():
                idle_since = None
                continue
            idle_since = idle_since or time.monotonic()
            if time.monotonic() - idle_since >= LINGER_SECONDS:
                return child  # Holding the lock: who comes now waits, then starts a new keeper.
            self.users.release()
        return child

    def _start_until_ready(self) -> subprocess.Popen[bytes]:
        """A server that answers. Raises CannotStart with its reason."""
        self.server.prepare()
        deadline = time.monotonic() + READY_SECONDS_MAX
        has_repaired = False
        while True:
            with self._open_log() as log:
                start = log.tell()
                child = self.server.start(log)
            while child.poll() is None and time.monotonic() < deadline:
                if self.server.is_ready(child.pid):
                    return child
                time.sleep(0.02)
            if child.poll() is None:
                self._stop(child)
                raise self.server.explain("")
            tail = self._tail(start)
            if _is_passing(tail) and time.monotonic() < deadline:
                time.sleep(0.2)  # The killed one's children need a moment to notice.
            elif not has_repaired and self.server.repair():
                has_repaired = True
            else:
                raise self.server.explain(tail)

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        for number in (self.server.stop_signal, signal.SIGKILL):
            if child.poll() is None:
                child.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(STOP_SECONDS_MAX)

    def _stop_soon(self, *_: object) -> None:
        self.is_told_to_stop = True

    def _open_log(self) -> Any:
        path = self.server.log
        is_long = path.exists() and path.stat().st_size > LOG_BYTES_MAX
        return path.open("wb" if is_long else "ab")

    def _tail(self, start: int) -> str:
        with self.server.log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")

    def _write(self, facts: dict[str, str]) -> None:
        draft = self.state.with_suffix(".draft")
        draft.write_text(json.dumps(facts), encoding="utf-8")
        draft.replace(self.state)

    def _read(self) -> dict[str, str]:
        try:
            facts: dict[str, str] = json.loads(self.state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return facts


def _is_passing(tail: str) -> bool:
    return "is still in use" in tail or "Is another postmaster" in tail


if __name__ == "__main__":
    main(*sys.argv[1:])
