"""The demo as a person meets it: it opens, says where, mends itself and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

import httpx
import pytest
from django.conf import settings

from tests.embedded.programs import server_pids, wait_until
from tests.stack import free_port

pytestmark = pytest.mark.slow
OPEN_SECONDS_MAX = 180


@pytest.fixture
def demo(tmp_path):
    started = []
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}

    def start(port):
        log = (tmp_path / "screen").open("wb")
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--scale", "0.02"],
            env={**env, "ZONE_DATA": str(tmp_path / "data"), "ZONE_PORT": str(port)},
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        started.append(process)
        return process

    start.screen = lambda: (tmp_path / "screen").read_text()
    start.data = tmp_path / "data"
    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def children_of(data) -> list[int]:
    """Web, worker, beat and their like: programs whose environment names this data folder."""
    own = []
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ:
                if f"ZONE_DATA={data}".encode() in environ.read().split(b"\0"):
                    own.append(int(pid))
        except OSError:
            continue
    return own


def beat_pid(data) -> int | None:
    for pid in children_of(data):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as command:
                if b"beat-schedule" in command.read():
                    return pid
        except OSError:
            continue
    return None


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="finds processes by /proc")
def test_the_demo_opens_mends_itself_and_leaves_nothing(demo):
    """Three demos on one folder, each ended in another way."""
    port = free_port()
    for number, code in ((signal.SIGKILL, -9), (signal.SIGINT, 0), (signal.SIGTERM, 0)):
        process = demo(port)
        wait_until(lambda p=process: is_open(p, demo), seconds=OPEN_SECONDS_MAX)
        assert f"http://127.0.0.1:{port}" in demo.screen()
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").json()["status"] == "ready"
        if number == signal.SIGINT:
            first = beat_pid(demo.data)
            os.kill(first, signal.SIGKILL)
            wait_until(lambda f=first: beat_pid(demo.data) not in {f, None})
            assert "beat ended (signal 9); starting it again" in demo.screen()

        process.send_signal(number)

        assert process.wait(60) == code, demo.screen()
        patience = 0.1 if code == 0 else 60
        wait_until(lambda: children_of(demo.data) == [], seconds=patience)
        wait_until(lambda: server_pids(demo.data) == [], seconds=patience)


def is_open(process, demo) -> bool:
    assert process.poll() is None, demo.screen()
    return "Ctrl-C stops everything" in demo.screen()


def test_a_taken_port_is_one_sentence(demo):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        process = demo(port)

        assert process.wait(60) == 1
    assert demo.screen() == (
        f"Apple Zone cannot start: port {port} cannot be used (address already in use). "
        f"Choose another one, for example ZONE_PORT={port + 1}.\n"
    )
