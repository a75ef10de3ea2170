"""A sandbox issuer for the tests of this room: a real process, asked over HTTP."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from tests.benefits.books import assert_books_hold
from tests.benefits.factories import claim, make_benefit, make_release
from tests.stack import free_port

START_SECONDS_MAX = 30


@dataclass
class Issuer:
    """The sandbox issuer as a process that can be told its moods, killed and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "manage.py", "sandbox_issuer"),
                *("--port", str(self.port), "--data", str(self.folder)),
            ],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                httpx.get(self.url)
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the sandbox issuer does not answer"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def control(self, **moods: Any) -> None:
        httpx.post(f"{self.url}/control", json=moods).raise_for_status()

    def orders(self) -> dict[str, dict[str, Any]]:
        listed = httpx.get(f"{self.url}/issues").json()["orders"]
        return {order["claim"]: order for order in listed}


@pytest.fixture(scope="session")
def issuer_process(tmp_path_factory):
    issuer = Issuer(tmp_path_factory.mktemp("issuer"))
    issuer.start()
    yield issuer
    issuer.kill()


@pytest.fixture
def issuer(issuer_process, settings):
    """A well-behaved sandbox issuer that the product finds under its setting."""
    issuer_process.control()
    settings.SANDBOX_ISSUER_URL = issuer_process.url
    return issuer_process


@pytest.fixture
def sound_books(db):
    """After the story told with it the promises of the room still hold."""
    yield
    assert_books_hold()


@pytest.fixture
def given(alice):
    """What alice gives away: a claim of hers, with its code, of a release that has one more."""
    return claim(alice, make_release(make_benefit(), codes=2))
