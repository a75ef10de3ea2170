"""A flash drop over HTTP, beside what Django itself and a tutorial manage in the same run.

    python -m tests.bench.drop [--quick]

Two web processes, one release, more members than codes, every member asking more than once. The
run fails when a code too many is granted, a member gets two, somebody hears "sold out" while a
code was left, the books do not agree, or a ratio misses its bar. Ratios are of figures measured in
turns in this run; the CPU of one request is printed beside them, because a busy machine changes
the first and not the second.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import httpx  # noqa: E402
from django.conf import settings  # noqa: E402

from benefits.models import Claim, Release  # noqa: E402
from tests import databases  # noqa: E402
from tests.bench import client, crowd, floor, usage  # noqa: E402
from tests.stack import free_port  # noqa: E402

CLIENTS = 32
ROUNDS = 3
WON, GONE, OWNED = b"All yours", b"all gone", b"You have this one"


class Server:
    """Two web processes of an application."""

    def __init__(self, application: str, database: databases.Database, module: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
                *("--port", str(self.port), "--workers", "2", "--blocking-threads", "1"),
                *("--no-ws", "--log-level", "error", application),
            ],
            env={
                **os.environ, **database.env, "DJANGO_SETTINGS_MODULE": module,
                "SITE_URL": f"http://127.0.0.1:{self.port}",
            },
            cwd=settings.BASE_DIR,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/healthz")
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the web processes do not answer"
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)


class Bench:
    """The servers and the meter; what each measure gave, round by round."""

    def __init__(self, ours: Server, floors: Server) -> None:
        self.ours, self.floors, self.meter = ours, floors, usage.Meter()
        self.runs: dict[str, list[dict[str, float]]] = {}

    def drive(self, server: Server, requests: list[bytes]) -> tuple[list[client.Answer], dict]:
        before = self.meter.read(server.process.pid)
        answers, seconds = client.drive(server.port, requests, clients=CLIENTS)
        used = self.meter.read(server.process.pid).since(before, len(answers))
        return answers, {"rate": len(answers) / seconds, **used}

    def measure(
        self, name: str, server: Server, requests: list[bytes], *, wanted: bytes = b""
    ) -> None:
        """One round of a measure. Every answer must hold what is wanted."""
        answers, figures = self.drive(server, requests)
        wrong = [a for a in answers if wanted not in a.body or not 200 <= a.status < 400]
        assert not wrong, f"{name}: {len(wrong)} answered {wrong[0].status} {wrong[0].body!r:.300}"
        figures |= {f"p{share}_ms": client.percentile(answers, share / 100) for share in (50, 99)}
        self.runs.setdefault(name, []).append(figures)

    def figure(self, name: str, figure: str) -> float:
        return median(run[figure] for run in self.runs[name])

    def cpu(self, name: str) -> float:
        return sum(self.figure(name, f"cpu_{part}_ms") for part in ("web", "postgres", "redis"))


def run_drop(bench: Bench, release: Release, cookies: list[str], number: int) -> dict[str, float]:
    """The rush itself, and what it must leave behind."""
    answers, figures = bench.drive(bench.ours, crowd.rush(release, cookies, number))
    taken = list(
        Claim.objects.filter(release=release).values_list("member_id", "slot", "created_at")
    )
    assert taken, f"nothing granted: {Counter(a.status for a in answers)}, {answers[0].body!r:.600}"
    began = min(answer.at - answer.seconds for answer in answers)
    last_code_at = max(created.timestamp() for _, _, created in taken)
    gone = [answer for answer in answers if GONE in answer.body]
    won = [answer for answer in answers if WON in answer.body]
    early = [answer for answer in gone if answer.at < last_code_at]
    assert len(taken) == release.stock == len({slot for _, slot, _ in taken}), len(taken)
    assert len({member for member, _, _ in taken}) == len(taken), "a member has two"
    assert not early, f"{len(early)} heard sold out while a code was left"
    assert len(won) >= len(taken), "somebody won and was not told"
    return {
        "requests": len(answers),
        "members": len(cookies),
        "granted": len(taken),
        "answered sold out": len(gone),
        "answered yours already": sum(OWNED in answer.body for answer in answers),
        "errors": sum(answer.status in (0, 500) for answer in answers),
        "seconds until the last code": last_code_at - began,
        **{f"winners p{p} ms": client.percentile(won, p / 100) for p in (50, 95, 99)},
        **{f"losers p{p} ms": client.percentile(gone, p / 100) for p in (50, 95, 99)},
        **figures,
    }


def run_turns(bench: Bench, gone: Release, losers: list[str], number: int) -> None:
    """Floors and ours in turns, on members who have not asked yet."""
    fresh = crowd.hot_release(ROUNDS * number)
    winners = crowd.members(ROUNDS * number)
    for turn in range(ROUNDS):
        mine = slice(turn * number, (turn + 1) * number)
        for name in ("query", "insert"):
            bench.measure(name, bench.floors, [client.get(f"/{name}")] * number)
        tutorial = [client.get(f"/tutorial?member={turn * number + n + 1}") for n in range(number)]
        bench.measure("tutorial", bench.floors, tutorial)
        asked = [crowd.ask(fresh, cookie) for cookie in winners[mine]]
        bench.measure("winners", bench.ours, asked, wanted=WON)
        asked = [crowd.ask(fresh, cookie) for cookie in winners[mine]]
        bench.measure("yours already", bench.ours, asked, wanted=OWNED)
        asked = [crowd.ask(gone, cookie) for cookie in losers[:number]]
        bench.measure("sold out", bench.ours, asked, wanted=GONE)


def run_depths(bench: Bench, shallow: int, deep: int, number: int) -> None:
    """The same claims from a short release and from a long one, in turns."""
    releases = {"shallow": crowd.deep_release(shallow), "deep": crowd.deep_release(deep)}
    people = crowd.members(ROUNDS * number)
    for turn in range(ROUNDS):
        mine = people[turn * number : (turn + 1) * number]
        for name, release in releases.items():
            asked = [crowd.ask(release, cookie, is_panel=False) for cookie in mine]
            bench.measure(name, bench.ours, asked)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args().quick
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # The web processes end with us.
    codes, people, number = (100, 400, 1000) if is_quick else (10_000, 40_000, 100_000)
    turn, shallow, deep = (120, 1000, 50_000) if is_quick else (1500, 1000, 1_000_000)
    with databases.copy("bench") as database, databases.in_use(database, pool=False):
        with database.connect(as_owner=True) as owner:
            owner.execute(floor.TABLES)
        floors = Server("tests.bench.floor:application", database, "tests.bench.floor_settings")
        ours = Server("zone.wsgi:application", database, "zone.settings")
        try:
            release = crowd.hot_release(codes)
            cookies = crowd.members(people)
            floors.wait()
            ours.wait()
            bench = Bench(ours, floors)
            client.drive(ours.port, [client.get("/healthz")] * 50, clients=4)
            drop = run_drop(bench, release, cookies, number)
            run_turns(bench, release, crowd.members(turn), turn)
            run_depths(bench, shallow, deep, min(turn, shallow // ROUNDS - 1))
            books = database.manage("verify_books")
        finally:
            ours.stop()
            floors.stop()
    return report(bench, drop, deep=deep, books_ok=books.returncode == 0)


def report(bench: Bench, drop: dict[str, float], *, deep: int, books_ok: bool) -> int:
    # measure, baseline, bar; whether less is better
    pairs = [
        ("sold out", "query", "one-query view", 0.7),
        ("yours already", "query", "one-query view", None),
        ("winners", "insert", "one-insert view", 0.5),
        ("winners", "tutorial", "tutorial claim", 3.0),
        ("sold out", "tutorial", "tutorial claim", 10.0),
    ]
    lines: list[dict[str, Any]] = [
        _line(
            name, bench.figure(name, "rate"), "requests/s", words, bench.figure(floor, "rate"), bar
        )
        for name, floor, words, bar in pairs
    ]
    lines += [
        _line(f"{name}, CPU", bench.cpu(name), "ms", words, bench.cpu(floor), None)
        for name, floor, words, _ in pairs
    ]
    flat = _line(
        f"a claim of {deep:,} codes, CPU", bench.cpu("deep"), "ms", "the same of 1,000",
        bench.cpu("shallow"), 1.15,
    )  # fmt: skip
    flat["met"] = flat["ratio"] <= flat["bar"]
    lines.append(flat)
    lines += [
        _line(f"{name}: {part}", bench.figure(name, part), unit)
        for name in ("query", "insert", "tutorial", "winners", "yours already", "sold out")
        for part, unit in [
            ("rate", "requests/s"), ("p50_ms", "ms"), ("p99_ms", "ms"), ("cpu_web_ms", "ms"),
            ("cpu_postgres_ms", "ms"), ("cpu_redis_ms", "ms"),
        ]
    ]  # fmt: skip
    lines += [_line(f"drop: {name}", value, "") for name, value in drop.items()]
    lines.append(_line("load of the machine at the end", os.getloadavg()[0], "processes"))
    place = Path(settings.ZONE_DATA) / "bench"
    place.mkdir(parents=True, exist_ok=True)
    (place / "drop.json").write_text(json.dumps(lines, indent=1))
    for line in lines:
        ratio = ""
        if line["ratio"] is not None:
            bar = f" (bar {line['bar']})" if line["bar"] else ""
            ratio = f"{line['ratio']} × {line['baseline']}{bar}"
        row = f"{line['measure']:38} {line['value']:>12} {line['unit']:11} {ratio}"
        sys.stdout.write(row.rstrip() + "\n")
    sys.stdout.write(f"books: {'agree' if books_ok else 'DO NOT AGREE'}\n")
    return 0 if books_ok and all(line["met"] is not False for line in lines) else 1


def _line(
    measure: str,
    value: float,
    unit: str,
    baseline: str | None = None,
    baseline_value: float | None = None,
    bar: float | None = None,
) -> dict[str, Any]:
    ratio = None if not baseline_value else round(value / baseline_value, 3)
    return {
        "measure": measure, "value": round(value, 3), "unit": unit, "baseline": baseline,
        "baseline_value": None if baseline_value is None else round(baseline_value, 3),
        "ratio": ratio, "bar": bar, "met": None if bar is None or ratio is None else ratio >= bar,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
