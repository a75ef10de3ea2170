"""A flash drop over HTTP, beside what Django itself and a tutorial manage in the same run.

    python -m tests.bench.drop [--quick]

Two web processes, one release, more members than codes, every member asking more than once. The
run fails when a code too many is granted, a member gets two, somebody hears "sold out" while a
code was left, the books do not agree, or a ratio misses its bar.
"""

import argparse
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import httpx  # noqa: E402
from django.conf import settings  # noqa: E402

from benefits.models import Claim, Release  # noqa: E402
from tests import databases, factories  # noqa: E402
from tests.bench import client, floor  # noqa: E402
from tests.benefits.factories import load_codes, make_benefit, make_release  # noqa: E402
from tests.stack import free_port  # noqa: E402
from zone.core import clock  # noqa: E402
from zone.core.ids import uuid7  # noqa: E402
from zone.members.services.sessions import open_session  # noqa: E402

CLIENTS = 32
ROUNDS = 3
GONE = b"all gone"
CSRF = secrets.token_hex(16)
BARS = {"sold out": 0.7, "winners to one insert": 0.5, "winners to the tutorial": 3.0}


def serve(application: str, database: databases.Database, module: str) -> tuple[int, int]:
    """Two web processes of `application`; their port and process group."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(port), "--workers", "2", "--blocking-threads", "1", "--no-ws"),
            *("--log-level", "error", application),
        ],
        env={
            **os.environ, **database.env, "DJANGO_SETTINGS_MODULE": module,
            "SITE_URL": f"http://127.0.0.1:{port}",
        },
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz")
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the web processes do not answer"
            time.sleep(0.1)
        else:
            return port, process.pid


def measure(port: int, group: int, requests: list[bytes]) -> dict[str, float]:
    before = client.cpu_seconds(group)
    answers, seconds = client.drive(port, requests, clients=CLIENTS)
    return {
        "rate": len(answers) / seconds,
        "cpu_ms": 1000 * (client.cpu_seconds(group) - before) / len(answers),
        "p99_ms": client.percentile(answers, 0.99),
        "errors": sum(a.status in (0, 500) for a in answers),
    }


def members(number: int) -> list[str]:
    """Bound members with an open session each; their cookies."""
    cookies = []
    now = clock.now()
    for _ in range(number):
        member = factories.make_member()
        factories.bind(member)
        opened = open_session(member=member, now=now)
        cookies.append(
            f"{settings.MEMBER_COOKIE_NAME}={opened.cookie}; {settings.CSRF_COOKIE_NAME}={CSRF}"
        )
    return cookies


def claim_requests(release: Release, cookies: list[str], number: int) -> list[bytes]:
    """Every member once with a fresh operation, then more of them: retries and new tries."""
    dice = random.Random(1)
    operations = [str(uuid7()) for _ in cookies]
    askers = list(range(len(cookies)))
    askers += [dice.randrange(len(cookies)) for _ in range(number - len(askers))]
    dice.shuffle(askers)
    requests = []
    for who in askers:
        op_id = operations[who] if dice.random() < 0.5 else str(uuid7())
        body = {"op_id": op_id, "release": release.public_id, "price": 0}
        form = urlencode({**body, "csrfmiddlewaretoken": CSRF}).encode()
        path = f"/benefits/{release.benefit.slug}/claim"
        requests.append(client.post(path, form, cookie=cookies[who]))
    return requests


def run_drop(
    port: int, group: int, release: Release, cookies: list[str], number: int
) -> dict[str, float]:
    """The rush itself, and what it must leave behind."""
    requests = claim_requests(release, cookies, number)
    before = client.cpu_seconds(group)
    answers, seconds = client.drive(port, requests, clients=CLIENTS)
    cpu = client.cpu_seconds(group) - before
    claims = Claim.objects.filter(release=release)
    taken = list(claims.values_list("member_id", "slot", "created_at"))
    gone = [answer for answer in answers if GONE in answer.body]
    assert taken, f"nothing granted: {Counter(a.status for a in answers)}, {answers[0].body!r:.600}"
    last_code_at = max(created.timestamp() for _, _, created in taken)
    early = [answer for answer in gone if answer.at < last_code_at]
    winners = [answer for answer in answers if answer.at <= last_code_at + 0.001]
    assert len(taken) == release.stock == len({slot for _, slot, _ in taken}), len(taken)
    assert len({member for member, _, _ in taken}) == len(taken), "a member has two"
    assert not early, f"{len(early)} heard sold out while a code was left"
    return {
        "requests": len(answers),
        "granted": len(taken),
        "sold_out": len(gone),
        "errors": sum(answer.status in (0, 500) for answer in answers),
        "rate": len(answers) / seconds,
        "cpu_ms": 1000 * cpu / len(answers),
        "until_last_code_s": last_code_at - min(a.at - a.seconds for a in answers),
        "winner_rate": len(winners) / (last_code_at - min(a.at - a.seconds for a in answers)),
        "p99_winners_ms": client.percentile(winners, 0.99),
        "p99_losers_ms": client.percentile(gone, 0.99),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args().quick
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # The web processes end with us.
    codes, people, number = (100, 400, 1000) if is_quick else (10_000, 40_000, 100_000)
    floor_number = 200 if is_quick else 4000
    with databases.copy("bench") as database, databases.in_use(database, pool=False):
        with database.connect(as_owner=True) as owner:
            owner.execute(floor.TABLES)
        release = make_release(make_benefit(), codes=1, is_hot=True)
        for start in range(1, codes, 10_000):
            load_codes(release, min(10_000, codes - start))
        cookies = members(people)
        groups: list[int] = []
        try:
            floor_port, floor_group = serve(
                "tests.bench.floor:application", database, "tests.bench.floor_settings"
            )
            groups.append(floor_group)
            port, group = serve("zone.wsgi:application", database, "zone.settings")
            groups.append(group)
            floors: dict[str, list[dict[str, float]]] = {}
            sold_out: list[dict[str, float]] = []
            client.drive(port, [client.get("/healthz")] * 50, clients=4)
            drop = run_drop(port, group, release, cookies, number)
            losers = claim_requests(release, cookies, max(len(cookies), floor_number))
            for turn in range(ROUNDS):
                for name, path in (("query", "/query"), ("insert", "/insert")):
                    requests = [client.get(path)] * floor_number
                    floors.setdefault(name, []).append(measure(floor_port, floor_group, requests))
                first = turn * floor_number
                requests = [
                    client.get(f"/tutorial?member={first + n}") for n in range(floor_number)
                ]
                floors.setdefault("tutorial", []).append(measure(floor_port, floor_group, requests))
                sold_out.append(measure(port, group, losers[:floor_number]))
            books = database.manage("verify_books")
        finally:
            for number_of_group in groups:
                os.killpg(number_of_group, signal.SIGTERM)
    return report(drop, floors, sold_out, books_ok=books.returncode == 0)


def report(
    drop: dict[str, float],
    floors: dict[str, list[dict[str, float]]],
    sold_out: list[dict[str, float]],
    *,
    books_ok: bool,
) -> int:
    rate = {name: median(run["rate"] for run in runs) for name, runs in floors.items()}
    losers = median(run["rate"] for run in sold_out)
    pairs = {
        "sold out": (losers, "one-query view", rate["query"]),
        "winners to one insert": (drop["winner_rate"], "one-insert view", rate["insert"]),
        "winners to the tutorial": (drop["winner_rate"], "tutorial claim", rate["tutorial"]),
    }
    lines = [
        {
            "measure": name, "value": round(value, 1), "unit": "requests/s",
            "baseline": baseline, "baseline_value": round(floor_value, 1),
            "ratio": round(value / floor_value, 3), "bar": BARS[name],
            "met": value / floor_value >= BARS[name],
        }
        for name, (value, baseline, floor_value) in pairs.items()
    ]  # fmt: skip
    lines += [
        {"measure": f"drop: {name}", "value": round(value, 3), "unit": "", "baseline": None,
         "baseline_value": None, "ratio": None, "bar": None, "met": None}
        for name, value in drop.items()
    ]  # fmt: skip
    lines += [
        {"measure": f"CPU ms a request: {name}", "value": round(value, 3), "unit": "ms",
         "baseline": None, "baseline_value": None, "ratio": None, "bar": None, "met": None}
        for name, value in {
            **{name: median(run["cpu_ms"] for run in runs) for name, runs in floors.items()},
            "sold out": median(run["cpu_ms"] for run in sold_out),
        }.items()
    ]  # fmt: skip
    place = Path(settings.ZONE_DATA) / "bench"
    place.mkdir(parents=True, exist_ok=True)
    (place / "drop.json").write_text(json.dumps(lines, indent=1))
    for line in lines:
        ratio = f"{line['ratio']} × {line['baseline']} (bar {line['bar']})" if line["bar"] else ""
        row = f"{line['measure']:32} {line['value']:>12} {line['unit']:10} {ratio}"
        sys.stdout.write(row.rstrip() + "\n")
    sys.stdout.write(f"books: {'agree' if books_ok else 'DO NOT AGREE'}\n")
    return 0 if books_ok and all(line["met"] is not False for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
