"""The product's real processes, on free ports and a database of the test's own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest
import redis
from django.conf import settings

from tests.databases import Database
from zone.embedded.demo import WEB_THREADS
from zone.embedded.redis import arguments, find_program

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 15


class PrivateRedis:
    """A Redis that belongs to one test, which may kill it."""

    def __init__(self, folder: Path) -> None:
        program = find_program()
        if program is None:
            pytest.skip("no redis-server for a private Redis")
        self.program = program
        self.data = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = arguments(self.program, socket=self.data / "s", data=self.data)
        place = command.index("--port")
        command[place : place + 4] = ["--port", str(self.port), "--bind", "127.0.0.1"]
        command[command.index("--unixsocketperm") : command.index("--unixsocketperm") + 2] = []
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.answers():
            assert time.monotonic() < deadline, "the private Redis does not answer"
            time.sleep(0.02)

    def answers(self) -> bool:
        with redis.Redis(port=self.port, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def kill(self) -> None:
        """End it like a power cut. It stays away until `start`."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def silence(self) -> None:
        """Keep it alive and accepting, but never answering."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)


@pytest.fixture
def private_redis(tmp_path) -> Iterator[PrivateRedis]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = PrivateRedis(folder)
    server.start()
    yield server
    server.kill()


@dataclass
class Stack:
    """Processes of the product by name: web, worker, beat, issuer."""

    database: Database
    env: dict[str, str]
    folder: Path
    url: str = ""
    issuer_url: str = ""
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *command: str, **env: str) -> None:
        """Start a Python module or script as a process named `name`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command],
                env={**self.env, **env},
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Its children are found by its group.
            )

    def start_careless_web(self, guard: str) -> None:
        """The web application without one of its guards; see `tests.faults.careless`."""
        self.start_web(application="tests.faults.careless:application", TEST_CARELESS=guard)

    def start_web(
        self, *, workers: int = 1, application: str = "zone.wsgi:application", **env: str
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.start(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", str(workers), "--blocking-threads", str(WEB_THREADS)),
            *("--no-ws", application),
            SITE_URL=self.url,
            **env,
        )
        self.wait_for(lambda: httpx.get(f"{self.url}/healthz").status_code == 200, "web")

    def start_worker_without_waiting(self, app: str = "zone") -> None:
        self.start(
            "worker",
            *("-m", "celery", "-A", app, "worker", "--concurrency", "2"),
            *("--without-gossip", "--without-mingle", "-n", f"test{free_port()}@%h"),
        )

    def start_worker(self, app: str = "zone") -> None:
        self.start_worker_without_waiting(app)
        self.wait_for(lambda: "ready" in self.log("worker"), "worker")

    def start_beat(self) -> None:
        schedule = str(self.folder / "beat")
        self.start("beat", "-m", "celery", "-A", "zone", "beat", "--schedule", schedule)

    def start_issuer(self, **env: str) -> None:
        port = free_port()
        self.issuer_url = f"http://127.0.0.1:{port}"
        data = str(self.folder / "issuer")  # Orders of other tests and of a demo stay out.
        self.start(
            "issuer", "manage.py", "sandbox_issuer", "--port", str(port), "--data", data, **env
        )
        self.wait_for(lambda: httpx.get(f"{self.issuer_url}/").status_code < 500, "issuer")
        self.env["SANDBOX_ISSUER_URL"] = self.issuer_url

    def wait_for(self, is_there, name: str, *, seconds: float = READY_SECONDS_MAX) -> None:
        """Until `is_there()`; fails with the log of process `name`, also when that ends."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(httpx.TransportError, psycopg.OperationalError):
                if is_there():
                    return
            process = self.processes.get(name)
            has_ended = process is not None and process.poll() is not None
            if has_ended or time.monotonic() > deadline:
                pytest.fail(f"{name} is not there:\n{self.log(name)[-3000:]}")
            time.sleep(0.05)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self, name: str) -> None:
        """`kill -9` of the process and its children."""
        self._end(name, signal.SIGKILL)

    def stop(self, name: str) -> None:
        """Ask it to stop; it finishes what it has begun."""
        self._end(name, signal.SIGTERM)

    def _end(self, name: str, number: int) -> None:
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill_all(self) -> None:
        """At the end of a test, when nobody wants to know any more how they would have ended."""
        for name in reversed(list(self.processes)):
            self.kill(name)


@pytest.fixture
def live_stack(cloned_database, tmp_path) -> Iterator:
    """`live_stack(worker=True, beat=False, issuer=False, web=True)` starts real processes.

    Each stack has a Redis of its own where this machine has one, else the configured Redis.
    `redis=` takes a `private_redis` that the test wants to hold in its own hands.
    """
    with ExitStack() as cleanup:
        number = 0

        def start(*, web=True, worker=False, beat=False, issuer=False, redis=None, **env) -> Stack:
            nonlocal number
            number += 1
            folder = tmp_path / f"stack{number}"
            (folder / "redis").mkdir(parents=True)
            if redis is None and find_program():
                redis = PrivateRedis(folder / "redis")
                redis.start()
                cleanup.callback(redis.kill)
            stack = Stack(
                database=cloned_database,
                folder=folder,
                env={
                    **os.environ,
                    **cloned_database.env,
                    "DJANGO_SETTINGS_MODULE": "zone.settings",
                    **({"REDIS_URL": redis.url} if redis else {}),
                    **env,
                },
            )
            cleanup.callback(stack.kill_all)
            if issuer:
                stack.start_issuer()
            if worker:
                stack.start_worker()
            if beat:
                stack.start_beat()
            if web:
                stack.start_web()
            return stack

        yield start


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
