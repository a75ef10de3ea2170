"""How many grants a second one worker process makes, with an issuer that answers in 50 ms.

`make bench-grants` runs it on a database of its own and verifies the books afterwards. `QUICK=1`
makes it short. The floor beside it is the issuer alone, asked by as many threads and nothing else;
the third figure is the same work with as many claims of a dead provider waiting in front of it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from benefits.models import Claim, Release  # noqa: E402
from benefits.providers.registry import open_provider  # noqa: E402
from benefits.services.grants import PROVIDER_CALLS_MAX  # noqa: E402
from tests import databases  # noqa: E402
from tests.bench import crowd  # noqa: E402
from tests.benefits.conftest import Issuer  # noqa: E402
from tests.benefits.factories import claim, make_benefit, make_provider, make_release  # noqa: E402
from tests.stack import free_port  # noqa: E402
from zone.core.ids import new_public_id  # noqa: E402
from zone.members.models import Member  # noqa: E402

DELAY_MS = 50
BAR = 200
ROUNDS, CLAIMS = (1, 300) if os.environ.get("QUICK") else (3, 2_000)
DRAIN = (
    "import django, time; django.setup();"
    "from benefits.services.grants import drain_grants;"
    "started, cpu = time.monotonic(), time.process_time(); done = drain_grants();"
    "print(done, time.monotonic() - started, time.process_time() - cpu)"
)


def drain(database: databases.Database, issuer: Issuer, release: Release) -> dict[str, float]:
    """One worker process works on what waits: this release's grants a second and their CPU."""
    done = subprocess.run(
        [sys.executable, "-c", DRAIN],
        env={
            **os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings",
            "SANDBOX_ISSUER_URL": issuer.url,
        },
        cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    _, seconds, cpu = map(float, done.stdout.split()[-3:])
    granted = list(
        Claim.objects.filter(release=release, state="granted")
        .order_by("created_at", "id")
        .values_list("granted_at", flat=True)
    )
    assert len(granted) == CLAIMS, f"{len(granted)} of {CLAIMS} granted"
    # By age, but for those of one moment: nobody waits longer than two batches for a younger one.
    late = max((max(granted[:place]) - at).total_seconds() for place, at in enumerate(granted, 1))
    took = (max(granted) - min(granted)).total_seconds()
    return {
        "rate": CLAIMS / seconds,
        "rate_until_last": CLAIMS / max(took, 0.001),
        "cpu_ms": 1000 * cpu / CLAIMS,
        "late_seconds": late,
    }


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


def measure(database: databases.Database, issuer: Issuer) -> list[dict[str, object]]:
    crowd.members(CLAIMS)
    members = list(Member.objects.select_related("wallet").order_by("-id")[:CLAIMS])
    provider = make_provider(kind="sandbox", timeout_ms=5_000)
    # Nobody listens there: every call fails, and its claims come due again and again.
    dead = make_provider(url=f"http://127.0.0.1:{free_port()}", timeout_ms=1_000)
    ours, beside, floors = [], [], []
    for _ in range(ROUNDS):
        for runs, has_dead in ((ours, False), (beside, True)):
            if has_dead:
                silent = make_release(make_benefit(), stock=CLAIMS, provider=dead)
                for member in members[: CLAIMS // 4]:
                    claim(member, silent)
            release = make_release(make_benefit(), stock=CLAIMS, provider=provider)
            made = [claim(member, release) for member in members]
            connections.close_all()
            runs.append(drain(database, issuer, release))
            if has_dead:
                Claim.objects.filter(release=silent).update(
                    next_attempt_at="2100-01-01T00:00:00Z", lease_until=None
                )
        floors.append(calls_a_second(provider, made[: CLAIMS // 2]))

    def figure(runs, name):
        return median(run[name] for run in runs)

    rate, floor = figure(ours, "rate"), median(floors)
    return [
        {"measure": "grants", "value": round(rate, 1), "unit": "grants/s", "baseline": "bar",
         "baseline_value": BAR, "ratio": round(rate / BAR, 3), "bar": 1, "met": rate >= BAR},
        {"measure": "grants beside a dead provider",
         "value": round(figure(beside, "rate_until_last"), 1), "unit": "grants/s",
         "baseline": "grants", "baseline_value": round(figure(ours, "rate_until_last"), 1),
         "ratio": round(figure(beside, "rate_until_last") / figure(ours, "rate_until_last"), 3),
         "bar": 0.7, "met": figure(beside, "rate_until_last")
         >= 0.7 * figure(ours, "rate_until_last")},
        {"measure": "grants, to the issuer alone", "value": round(rate, 1), "unit": "grants/s",
         "baseline": "issuer", "baseline_value": round(floor, 1), "ratio": round(rate / floor, 3),
         "bar": None, "met": None},
        {"measure": "CPU of the worker for a grant", "value": round(figure(ours, "cpu_ms"), 2),
         "unit": "ms", "baseline": None, "baseline_value": None, "ratio": None, "bar": None,
         "met": None},
        {"measure": "latest after a younger one", "value": round(figure(ours, "late_seconds"), 2),
         "unit": "s", "baseline": None, "baseline_value": None, "ratio": None, "bar": None,
         "met": None},
        {"measure": "load of the machine at the end", "value": round(os.getloadavg()[0], 1),
         "unit": "processes", "baseline": None, "baseline_value": None, "ratio": None, "bar": None,
         "met": None},
    ]  # fmt: skip


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
            lines = measure(database, issuer)
            books = database.manage("verify_books")
        finally:
            issuer.kill()
    place = Path(settings.ZONE_DATA) / "bench"
    place.mkdir(parents=True, exist_ok=True)
    (place / "grants.json").write_text(json.dumps(lines, indent=1))
    for line in lines:
        ratio = f"{line['ratio']} × {line['baseline']}" if line["ratio"] is not None else ""
        sys.stdout.write(
            f"{line['measure']:32} {line['value']:>10} {line['unit']:10} {ratio}".rstrip() + "\n"
        )
    sys.stdout.write("books verified\n" if books.returncode == 0 else books.stdout)
    return 0 if books.returncode == 0 and all(line["met"] is not False for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
