"""A phone-sized Chromium for the browser tests.

Without one the tests are skipped by name; `ZONE_REQUIRE_BROWSER=1` makes that a failure.
"""

import os
import shutil
from pathlib import Path

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    # Debian's launcher is a shell script around the first one, which starts sooner.
    for place in (os.environ.get("CHROMIUM_BIN"), "/usr/lib/chromium/chromium"):
        if place and Path(place).exists():
            return place
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return None


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    program = find_chromium()
    if program is None:
        if os.environ.get("ZONE_REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium found, and ZONE_REQUIRE_BROWSER=1 asks for one")
        pytest.skip("no Chromium found (CHROMIUM_BIN names one)")
    # Playwright's synchronous calls keep an event loop in this thread; Django would refuse it.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    return {**browser_type_launch_args, "executable_path": program, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {
        **browser_context_args,
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
        "locale": "en-US",
        "timezone_id": "Asia/Shanghai",
        "reduced_motion": "reduce",
    }


@pytest.fixture
def quiet_page(page):
    """A page that fails its test on any console error, page error or failed request."""
    seen = []
    page.on("console", lambda line: seen.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: seen.append(str(error)))
    # A page that is left stops loading its pictures: that is no fault of theirs.
    page.on(
        "requestfailed",
        lambda request: (
            seen.append(f"failed {request.url}") if request.failure != "net::ERR_ABORTED" else None
        ),
    )
    yield page
    assert seen == []
