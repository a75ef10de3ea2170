"""How many grants a second one worker process makes, with an issuer that answers in 50 ms.

`make bench-grants` runs it on a database of its own and verifies the books afterwards. `QUICK=1`
makes it short. The floor beside it is the issuer alone, asked by as many threads and nothing else.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from benefits.models import Claim  # noqa: E402
from benefits.providers.registry import open_provider  # noqa: E402
from benefits.services.grants import PROVIDER_CALLS_MAX  # noqa: E402
from tests import databases  # noqa: E402
from tests.benefits.conftest import Issuer  # noqa: E402
from tests.benefits.factories import claim, make_benefit, make_provider, make_release  # noqa: E402
from tests.factories import bind, make_member  # noqa: E402
from zone.core.ids import new_public_id  # noqa: E402

DELAY_MS = 50
BAR = 200
ROUNDS, CLAIMS = (1, 400) if os.environ.get("QUICK") else (3, 2_000)
DRAIN = (
    "import django, time; django.setup();"
    "from benefits.services.grants import drain_grants;"
    "started, cpu = time.monotonic(), time.process_time(); done = drain_grants(); print(done, time.monotonic() - started, time.process_time() - cpu)"
)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def grants_a_second(database: databases.Database, issuer: Issuer) -> tuple[float, float]:
    """One worker process drains what waits: grants a second, and its own CPU ms for each."""
    done = subprocess.run(
        [sys.executable, "-c", DRAIN],
        env={
            **os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings",
            "SANDBOX_ISSUER_URL": issuer.url,
        },
        cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    count, seconds, cpu = map(float, done.stdout.split()[-3:])
    return count / seconds, 1_000 * cpu / count


def calls_a_second(provider, claims) -> float:
    """The issuer alone: as many orders, nothing written down here."""
    asker = open_provider(provider)
    for made in claims:
        made.public_id = new_public_id("clm")
    started = time.monotonic()
    with ThreadPoolExecutor(PROVIDER_CALLS_MAX) as threads:
        list(threads.map(asker.issue, claims))
    asker.close()
    return len(claims) / (time.monotonic() - started)


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.copy("bench") as database,
        databases.in_use(database, pool=False),
    ):
        issuer = Issuer(Path(folder))
        issuer.start()
        settings.SANDBOX_ISSUER_URL = issuer.url
        try:
            issuer.control(delay_ms=DELAY_MS, codeless=1)
            members = [make_member() for _ in range(CLAIMS)]
            for member in members:
                bind(member)
            provider = make_provider(kind="sandbox", timeout_ms=5_000)
            ours, floors = [], []
            for _ in range(ROUNDS):
                release = make_release(make_benefit(), stock=CLAIMS, provider=provider)
                made = [claim(member, release) for member in members]
                connections.close_all()
                figure, cpu_ms = grants_a_second(database, issuer)
                ours.append(figure)
                floors.append(calls_a_second(provider, made[: CLAIMS // 2]))
                granted = Claim.objects.filter(release=release, state="granted").count()
                say(
                    f"grants {ours[-1]:.0f}/s ({cpu_ms:.1f} ms CPU each), "
                    f"issuer alone {floors[-1]:.0f}/s, granted {granted}"
                )
            say(f"median {statistics.median(ours):.0f}/s (bar {BAR}/s)")
            books = database.manage("verify_books")
            say("books verified" if books.returncode == 0 else books.stdout)
        finally:
            issuer.kill()
    return 0 if books.returncode == 0 and statistics.median(ours) >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
