"""A flash drop over HTTP, beside what Django itself and a tutorial manage in the same run.

    python -m tests.bench.drop [--quick]

Two web processes, one release, more members than codes, every member asking more than once. The
run fails when a code too many is granted, a member gets two, somebody hears "sold out" while a
code was left, the books do not agree, or a ratio misses its bar. Ratios are of figures measured in
turns in this run; the CPU of one request is printed beside them, because a busy machine changes
the first and not the second.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from statistics import median

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import httpx  # noqa: E402
from django.conf import settings  # noqa: E402

from benefits.models import Claim, Release  # noqa: E402
from tests import databases  # noqa: E402
from tests.bench import client, crowd, floor, usage  # noqa: E402
from tests.bench.report import Line, against, figure, publish, say  # noqa: E402
from tests.stack import free_port  # noqa: E402
from zone.embedded.demo import WEB_THREADS  # noqa: E402

CLIENTS = 32
ROUNDS = 3
WON, GONE, OWNED = b"All yours", b"all gone", b"You have this one"


class Server:
    """Two web processes of an application."""

    def __init__(
        self, application: str, database: databases.Database, module: str, *, threads: int
    ) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
                *("--port", str(self.port), "--workers", "2", "--blocking-threads", str(threads)),
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
        assert len(answers) == len(requests), f"only {len(answers)} of {len(requests)} got through"
        used = self.meter.read(server.process.pid).since(before, len(answers))
        return answers, {"rate": len(answers) / seconds, **used}

    def measure(
        self, name: str, server: Server, requests: list[bytes], *, wanted: bytes = b""
    ) -> None:
        """One round of a measure. Every answer must hold what is wanted."""
        answers, figures = self.drive(server, requests)
        wrong = [a for a in answers if wanted not in a.body or not 200 <= a.status < 400]
        assert not wrong, f"{name}: {len(wrong)} answered {wrong[0].status} {wrong[0].body!r:.300}"
        figures |= {
            f"p{share}_ms": client.percentile(answers, share / 100) for share in (50, 95, 99)
        }
        self.runs.setdefault(name, []).append(figures)

    def figure(self, name: str, figure: str) -> float:
        return median(run[figure] for run in self.runs[name])

    def has(self, name: str) -> bool:
        return bool(self.runs.get(name))

    def cpu(self, name: str) -> float:
        return sum(self.figure(name, f"cpu_{part}_ms") for part in ("web", "postgres", "redis"))

    def cpu_in_inserts(self, name: str) -> float:
        """The CPU of a measure in those of one insert, turn by turn."""
        parts = ("cpu_web_ms", "cpu_postgres_ms", "cpu_redis_ms")
        turns = zip(self.runs[name], self.runs[f"insert, {name}"], strict=True)
        return median(sum(own[p] for p in parts) / sum(one[p] for p in parts) for own, one in turns)


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


def tidy(database: databases.Database) -> None:
    """What the server would do by itself within minutes: now, and not while we measure."""
    with database.connect(as_owner=True) as owner:
        owner.execute("VACUUM ANALYZE")


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    codes: int
    members: int
    requests: int
    cheap: int  # requests a round of a measure that reads
    dear: int  # requests a round of a measure that writes
    deep: int  # codes of the long release


FULL = Size(codes=10_000, members=40_000, requests=100_000, cheap=3000, dear=1500, deep=1_000_000)
# The same checks and measures; rounds long enough to count CPU in steps of 10 ms.
QUICK = Size(codes=100, members=400, requests=1000, cheap=300, dear=150, deep=20_000)


def run_turns(bench: Bench, gone: Release, size: Size, database: databases.Database) -> None:
    """Floors and ours in turns, on members who have not asked yet; the first turn warms up."""
    fresh = crowd.hot_release((ROUNDS + 1) * size.dear)
    winners = crowd.members((ROUNDS + 1) * size.dear)
    losers = [crowd.ask(gone, cookie) for cookie in crowd.members(size.cheap)]
    tidy(database)
    for turn in range(ROUNDS + 1):
        mine = winners[turn * size.dear : (turn + 1) * size.dear]
        numbers = range(turn * size.dear + 1, (turn + 1) * size.dear + 1)
        bench.measure("query", bench.floors, [client.get("/query")] * size.cheap)
        bench.measure("insert", bench.floors, [crowd.floor("/insert", n) for n in numbers])
        bench.measure("tutorial", bench.floors, [crowd.floor("/tutorial", n) for n in numbers])
        asked = [crowd.ask(fresh, cookie) for cookie in mine]
        bench.measure("winners", bench.ours, asked, wanted=WON)
        asked = [crowd.ask(fresh, cookie) for cookie in mine]
        bench.measure("yours already", bench.ours, asked, wanted=OWNED)
        bench.measure("sold out", bench.ours, losers, wanted=GONE)
        if turn == 0:
            bench.runs.clear()
        say(f"turn {turn} of {ROUNDS}" if turn else "warm")


def run_depths(bench: Bench, size: Size, database: databases.Database) -> None:
    """The same claims before there were many codes, and from a release that has them.

    One after the other: a claim that read every code would cost the same beside them, whichever
    release it was of. Each beside one insert of the same minute, as a machine's speed drifts.
    """
    for name, codes in (("shallow", (ROUNDS + 1) * size.dear), ("deep", size.deep)):
        release = crowd.deep_release(codes)
        people = crowd.members((ROUNDS + 1) * size.dear)
        tidy(database)
        for turn in range(ROUNDS + 1):
            mine = people[turn * size.dear : (turn + 1) * size.dear]
            inserts = [crowd.floor("/insert", n) for n in range(len(mine))]
            bench.measure(f"insert, {name}", bench.floors, inserts)
            asked = [crowd.ask(release, cookie, is_panel=False) for cookie in mine]
            bench.measure(name, bench.ours, asked)
        for measure in (name, f"insert, {name}"):
            bench.runs[measure].pop(0)
        say(f"a release of {codes:,} codes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    size = QUICK if parser.parse_args().quick else FULL
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # The web processes end with us.
    with databases.copy("bench") as database, databases.in_use(database, pool=False):
        with database.connect(as_owner=True) as owner:
            owner.execute(floor.TABLES)
        floors = Server(
            "tests.bench.floor:application", database, "tests.bench.floor_settings", threads=1
        )
        ours = Server("zone.wsgi:application", database, "zone.settings", threads=WEB_THREADS)
        try:
            bench = Bench(ours, floors)
            drop, faults = run_all(bench, size, database)
            books = database.manage("verify_books")
            say("books read")
        finally:
            ours.stop()
            floors.stop()
    for fault in faults:
        sys.stdout.write(f"FAULT: {fault}\n")
    lines = lines_of(bench, drop, size)
    return publish("drop", lines, books_ok=books.returncode == 0) or int(bool(faults))


def run_all(
    bench: Bench, size: Size, database: databases.Database
) -> tuple[dict[str, float], list[str]]:
    """Every part, also after one that failed; the drop's figures, and what went wrong."""
    say(f"{size.codes:,} codes and {size.members:,} members are made")
    release = crowd.hot_release(size.codes)
    cookies = crowd.members(size.members)
    tidy(database)
    bench.floors.wait()
    bench.ours.wait()
    drop: dict[str, float] = {}
    say(f"the drop: {size.requests:,} requests")
    parts = [
        lambda: drop.update(run_drop(bench, release, cookies, size.requests)),
        lambda: run_turns(bench, release, size, database),
        lambda: run_depths(bench, size, database),
    ]
    faults = []
    for part in parts:
        try:
            part()
        except (AssertionError, OSError) as fault:
            faults.append(str(fault) or type(fault).__name__)
            say(f"FAULT: {faults[-1]}")
    return drop, faults


def lines_of(bench: Bench, drop: dict[str, float], size: Size) -> list[Line]:
    """What was measured, ours against the floors of the same run; a part that failed is left out."""
    # measure, baseline, bar
    pairs = [
        ("sold out", "query", "one-query view", 0.7),
        ("yours already", "query", "one-query view", None),
        ("winners", "insert", "one-insert view", 0.5),
        ("winners", "tutorial", "tutorial claim", 3.0),
        ("sold out", "tutorial", "tutorial claim", 10.0),
    ]
    pairs = [pair for pair in pairs if bench.has(pair[0]) and bench.has(pair[1])]
    lines = [
        against(
            name, bench.figure(name, "rate"), "requests/s", words, bench.figure(base, "rate"),
            at_least=bar,
        )
        for name, base, words, bar in pairs
    ]  # fmt: skip
    lines += [
        against(f"{name}, CPU", bench.cpu(name), "ms", words, bench.cpu(base))
        for name, base, words, _ in pairs
    ]
    if bench.has("deep") and bench.has("shallow"):
        lines.append(
            against(
                f"a claim of {size.deep:,} codes, CPU", bench.cpu_in_inserts("deep"), "inserts",
                "before there were so many", bench.cpu_in_inserts("shallow"), at_most=1.15,
            )
        )  # fmt: skip
    lines += [
        figure(f"{name}: {part}", bench.figure(name, part), unit)
        for name in ("query", "insert", "tutorial", "winners", "yours already", "sold out")
        if bench.has(name)
        for part, unit in [
            ("rate", "requests/s"), ("p50_ms", "ms"), ("p95_ms", "ms"), ("p99_ms", "ms"),
            ("cpu_web_ms", "ms"), ("cpu_postgres_ms", "ms"), ("cpu_redis_ms", "ms"),
        ]
    ]  # fmt: skip
    lines += [figure(f"drop: {name}", value, "") for name, value in drop.items()]
    lines.append(figure("load of the machine at the end", os.getloadavg()[0], "processes"))
    return lines


if __name__ == "__main__":
    sys.exit(main())
