"""Child processes that are started again when they die and never outlive their parent."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from zone.embedded.postgres import end_with_parent

STOP_SECONDS_MAX = 12.0
PAUSE_SECONDS_MAX = 30.0
STEADY_SECONDS = 30.0  # Alive this long, a process has proved itself.


@dataclass
class Child:
    """One program to keep running."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    pause: float = 0.5
    start_at: float = field(default=0.0)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the parent's; it stops them in order.
                preexec_fn=end_with_parent(signal.SIGTERM),
            )
        self.started_at = time.monotonic()

    def signal_group(self, number: int) -> None:
        """Reach what the process started, also after it died itself."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


class Supervisor:
    """Keeps children running; `say` receives a sentence about everything that happens."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.children: list[Child] = []

    def add(self, child: Child) -> Child:
        child.log.write_bytes(b"")
        child.start()
        self.children.append(child)
        return child

    def tend(self) -> None:
        """Notice the dead, and start them again once their pause is over."""
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.start_at:
                    child.start()
                continue
            code = child.process.poll()
            if code is None:
                continue
            child.signal_group(signal.SIGKILL)
            is_steady = now - child.started_at > STEADY_SECONDS
            child.pause = 0.5 if is_steady else min(child.pause * 2, PAUSE_SECONDS_MAX)
            child.start_at = now + child.pause
            child.process = None
            self.say(
                f"{child.name} ended ({_ending(code)}); starting it again in {child.pause:g} s. "
                f"Its log: {child.log}"
            )

    def stop(self) -> None:
        """Ask all of them to stop, wait, and end those that do not. Nothing is left."""
        running = [child for child in self.children if child.process is not None]
        for child in running:
            with suppress(ProcessLookupError):
                child.process.terminate()  # type: ignore[union-attr]
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for child in running:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, deadline - time.monotonic()))  # type: ignore[union-attr]
            child.signal_group(signal.SIGKILL)
            child.process.wait()  # type: ignore[union-attr]
            child.process = None
        self.children.clear()


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
