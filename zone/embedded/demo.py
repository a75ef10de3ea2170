"""The whole Zone on this machine: servers, data, web, worker, beat and sandbox issuer."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType

import httpx
from django.conf import settings
from django.core.management import get_commands
from django.db import connections

from zone.embedded import screen, servers
from zone.embedded.folder import Folder
from zone.embedded.prepared import Prepared
from zone.embedded.refusal import CannotStart
from zone.embedded.supervisor import Child, Supervisor

READY_SECONDS_MAX = 60.0
TEND_SECONDS = 0.25
REJOIN_SECONDS = 3.0
ACCESS_FILE = "demo-access.json"
# Members who press a button at the same moment are served together, each by a thread of its own.
WEB_THREADS = 16
WORKER_PROCESSES = 2


class Demo:
    """Prepare, run until told to stop, leave nothing running."""

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        uses_postgres: bool,
        uses_redis: bool,
        scale: str = "1",
    ) -> None:
        self.say = say
        self.scale = scale
        self.uses = {"database": uses_postgres, "redis": uses_redis}
        self.data: Path = settings.ZONE_DATA
        self.logs = self.data / "logs"
        self.is_told_to_stop = False
        self.supervisor = Supervisor(say)
        self.env = {**os.environ, "DJANGO_SETTINGS_MODULE": "zone.settings"}
        self.env["STATIC_COLLECTED"] = "1"

    def run(self) -> None:
        """Returns after Ctrl-C or SIGTERM. Raises CannotStart with one sentence."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        only_one = Folder(self.data).lock("demo")
        if not only_one.try_take():
            raise CannotStart(f"a demo already runs on {self.data}. Stop it, or set ZONE_DATA.")
        refuse_taken_port(settings.ZONE_PORT)
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            self._prepare()
            self._start_children()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._stop_soon)
            self._show()
            self._tend()
        except KeyboardInterrupt:
            self.say("")
        finally:
            self._leave()

    def _prepare(self) -> None:
        mark = Prepared(self.data)
        # Somebody else's server may have changed in ways its list of migrations does not tell.
        if not self.uses["database"] or not mark.is_current():
            mark.forget()
            connections.close_all()
            self._manage("prepare", tell=self.say)  # It names its own steps and their seconds.
            mark.record()
        if "seed_zone" in get_commands() and not self._is_seeded():
            seed = ("seed_zone", "--scale", self.scale)
            self._step("People, purchases and benefits", lambda: self._manage(*seed))

    def _is_seeded(self) -> bool:
        from zone.members.models import Member

        is_seeded = (self.data / ACCESS_FILE).exists() and Member.objects.exists()
        connections.close_all()
        return is_seeded

    def _start_children(self) -> None:
        if "sandbox_issuer" in get_commands():
            port = free_port_after(settings.ZONE_PORT)
            self.env["SANDBOX_ISSUER_URL"] = f"http://127.0.0.1:{port}"
            self._start("issuer", "manage.py", "sandbox_issuer", "--port", str(port))
        celery = ("-m", "celery", "-A", "zone")
        self._start(
            "worker",
            *(*celery, "worker", "--concurrency", str(WORKER_PROCESSES), "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle"),
        )
        self._start("beat", *celery, "beat", "--schedule", str(self.data / "beat-schedule"))
        self._start(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(settings.ZONE_PORT), "--workers", "2"),
            *("--blocking-threads", str(WEB_THREADS)),
            *("--respawn-failed-workers", "--workers-kill-timeout", "8"),
            *("--no-ws", "--log-level", "warning", "zone.wsgi:application"),
        )
        self._step("Web, worker, beat", self._wait_until_ready)

    def _wait_until_ready(self) -> None:
        worker_log = self.logs / "worker.log"
        deadline = time.monotonic() + READY_SECONDS_MAX
        fault = ""
        while time.monotonic() < deadline:
            self.supervisor.tend()
            try:
                answer = httpx.get(f"http://127.0.0.1:{settings.ZONE_PORT}/readyz", timeout=5)
                fault = ", ".join(answer.json()["faults"])
            except (httpx.TransportError, ValueError, KeyError):
                fault = "no answer"
            if not fault and " ready." in worker_log.read_text(errors="replace"):
                return
            time.sleep(0.1)
        raise CannotStart(
            f"the web or worker process is not ready ({fault or 'worker'}); "
            f"their logs are in {self.logs}."
        )

    def _show(self) -> None:
        seconds = time.monotonic() - servers.STARTED
        lines = [
            "",
            f"  Apple Zone is open at  {settings.SITE_URL}",
            f"  ready after {seconds:.1f} s · logs in {self.logs} · Ctrl-C stops everything",
            "",
            *screen.access_lines(self.data / ACCESS_FILE),
            "",
        ]
        if not settings.HAS_REDIS:
            lines += [f"  {servers.NO_REDIS}", ""]
        connections.close_all()
        self.say("\n".join(lines))

    def _tend(self) -> None:
        rejoin_at = 0.0
        while not self.is_told_to_stop:
            self.supervisor.tend()
            if time.monotonic() > rejoin_at:
                self._rejoin()
                rejoin_at = time.monotonic() + REJOIN_SECONDS
            time.sleep(TEND_SECONDS)

    def _rejoin(self) -> None:
        """A keeper that was killed gets a successor while the demo runs."""
        if not any(self.uses.values()):
            return
        try:
            servers.connect(self.data, **self.uses)
        except CannotStart as refusal:
            self.say(refusal.sentence)

    def _leave(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # A second Ctrl-C would leave children behind.
        self.say("Stopping web, worker, beat and servers ...")
        self.supervisor.stop()
        connections.close_all()
        if any(self.uses.values()) and not servers.leave(self.data):
            self.say("Stopped. Another program still uses the private servers; they go with it.")
        else:
            self.say("Stopped.")

    def _step(self, name: str, work: Callable[[], object]) -> None:
        sys.stdout.write(f"  {name:<32}")
        sys.stdout.flush()
        began = time.monotonic()
        work()
        self.say(f"{time.monotonic() - began:5.1f} s")

    def _manage(self, *arguments: str, tell: Callable[[str], None] | None = None) -> None:
        """Run a command as a process of its own, in the role that command needs.

        What it prints goes to its log, or line by line to `tell`.
        """
        log = self.logs / f"{arguments[0]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                env=self.env,
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if tell else output,
                stderr=output,
                text=True,
            )
            try:
                for line in process.stdout or ():
                    (tell or self.say)(line.rstrip("\n"))
                code = process.wait()
            except BaseException:
                process.kill()  # Each step is a transaction or safe to repeat.
                process.wait()
                raise
        if code:
            last = (log.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
            raise CannotStart(f"`manage.py {arguments[0]}` failed: {last} (all of it: {log})")

    def _start(self, name: str, *command: str) -> None:
        log = self.logs / f"{name}.log"
        self.supervisor.add(Child(name, [sys.executable, *command], self.env, log))

    def _interrupt(self, *_: int | FrameType | None) -> None:
        raise KeyboardInterrupt

    def _stop_soon(self, *_: int | FrameType | None) -> None:
        self.is_told_to_stop = True


def refuse_taken_port(port: int) -> None:
    """Raises CannotStart when somebody listens where the web server should."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(
                f"port {port} cannot be used ({(error.strerror or '').lower()}). "
                f"Choose another one, for example ZONE_PORT={port + 1}."
            ) from None


def free_port_after(port: int) -> int:
    """The first free loopback port above `port`."""
    for candidate in range(port + 1, min(port + 200, 65535)):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", candidate)):
                return candidate
    raise CannotStart(f"no free port above {port}. Choose another one with ZONE_PORT.")
