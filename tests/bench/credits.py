"""What the ledger's verbs cost, beside PostgreSQL's own limit and a known peer, in one run.

    python -m tests.bench.credits [--quick]

The floor is `pgbench -N -M prepared` on tables as long and as loose as ours. Floor and verbs take
turns, several rounds, and medians count. The run fails when a ratio misses its bar or the books do
not agree afterwards. --members chooses another size than a million.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from io import StringIO
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402

from tests import databases  # noqa: E402
from tests.bench import books, pgbench, scripts  # noqa: E402
from tests.bench.report import Line, against, figure, publish, say  # noqa: E402

BARS = {"verb": 0.8, "through Python": 0.35, "batch": 5.0, "sweep": 0.5, "members": 1.2}
PEER_SECONDS_MAX = 300
WORKERS = 4  # that post batches: a few processes do, not every web request


@dataclass(frozen=True)
class Size:
    members: int
    few_members: int
    seconds: float
    rounds: int
    swept: int  # members a round of the sweep


FULL = Size(members=1_000_000, few_members=10_000, seconds=6, rounds=3, swept=20_000)
QUICK = Size(members=20_000, few_members=2_000, seconds=1, rounds=3, swept=10_000)


@dataclass
class Measured:
    """Rates of each round by what was measured, and what else came with them."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    latencies_ms: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, rate: float, cpu_us: float, latencies_ms: list[float]) -> None:
        self.rates.setdefault(name, []).append(rate)
        self.cpu_us.setdefault(name, []).append(cpu_us)
        self.latencies_ms.setdefault(name, []).extend(latencies_ms)

    def add_run(self, name: str, run: pgbench.Run, *, operations: int = 1) -> None:
        assert not run.failed, f"{name}: {run.failed} transactions failed"
        self.add(name, run.rate * operations, run.server_cpu_us / operations, run.latencies_ms)

    def rate(self, name: str) -> float:
        return median(self.rates[name])

    def percentile(self, name: str, share: float) -> float:
        ordered = sorted(self.latencies_ms[name])
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class Clients:
    """Processes that call `credits.ledger`, each with the pool the settings give it."""

    def __init__(self, database: databases.Database, span: tuple[int, int]) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.bench.ledger_client"),
                *map(str, (*span, pgbench.CLIENTS)),
            ],
            env={**os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings"},
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._said() == "ready\n"

    def _said(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def run(self, verb: str, seconds: float, watcher: psycopg.Connection) -> dict[str, Any]:
        before = pgbench.server_cpu_seconds(watcher)
        assert self.process.stdin
        self.process.stdin.write(f"{verb} {seconds}\n")
        self.process.stdin.flush()
        said = json.loads(self._said())
        cpu = pgbench.server_cpu_seconds(watcher) - before + said["cpu"]
        assert not said["refused"]
        return {
            "rate": said["posted"] / seconds,
            "cpu_us": cpu * 1e6 / said["posted"],
            "latencies_ms": said["latencies_ms"],
        }

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


def ledger_of(number: int, stack: ExitStack) -> tuple[databases.Database, tuple[int, int]]:
    """A database with `number` members in the ledger, and the keys to draw from."""
    database = stack.enter_context(databases.copy("bench"))
    with databases.in_use(database, pool=False):
        span = books.open_accounts(database, number)
    with database.connect(as_owner=True) as owner:
        owner.execute(scripts.HELPER)
    return database, span


def measure_verbs(
    size: Size,
    database: databases.Database,
    span: tuple[int, int],
    few: databases.Database,
    few_span: tuple[int, int],
) -> Measured:
    measured = Measured()

    def script(
        name: str, text: str, *, operations: int = 1, clients: int = pgbench.CLIENTS
    ) -> Callable[[], None]:
        text = text.format(first=span[0], last=span[1])
        return lambda: measured.add_run(
            name,
            pgbench.run_script(database, text, seconds=size.seconds, clients=clients),
            operations=operations,
        )

    def few_members() -> None:
        text = scripts.SPEND.format(first=few_span[0], last=few_span[1])
        measured.add_run("spend, few", pgbench.run_script(few, text, seconds=size.seconds))

    def floor() -> None:
        measured.add_run("floor", pgbench.run_floor(database, seconds=size.seconds))

    clients = Clients(database, span)
    with database.connect(as_owner=True) as watcher:

        def through_python() -> None:
            measured.add("spend, Python", **clients.run("spend", size.seconds, watcher))

        in_turn = {
            "pgbench -N": floor,
            "spend": script("spend", scripts.SPEND),
            "spend, few members": few_members,
            "earn": script("earn", scripts.EARN),
            "batches of earns": script(
                "batch", scripts.EARN_BATCH, operations=scripts.BATCH, clients=WORKERS
            ),
            "spend through Python": through_python,
        }
        try:
            for turn in range(1, size.rounds + 1):
                for what, run in in_turn.items():
                    say(f"round {turn} of {size.rounds}: {what}")
                    run()
        finally:
            clients.stop()
    # No bar is set for it, so that once is enough.
    script("hold and capture", scripts.HOLD_AND_CAPTURE, operations=2)()
    return measured


# The same work without rules: as many rows moved and written, the old values known.
BULK_TABLES = """
    CREATE TABLE bench_account (LIKE ledger.account) WITH (fillfactor = 70);
    INSERT INTO bench_account SELECT * FROM ledger.account;
    ALTER TABLE bench_account ADD PRIMARY KEY (member_id);
    CREATE TABLE bench_entry (LIKE ledger.entry INCLUDING DEFAULTS);
    ALTER TABLE bench_entry ADD PRIMARY KEY (member_id, op_id);
    ANALYZE bench_account;
"""
BULK = """
    WITH moved AS (
        UPDATE bench_account
        SET available = available - bucket_left[1], seq = seq + 1,
            bucket_keys = bucket_keys[2:], bucket_left = bucket_left[2:]
        WHERE member_id BETWEEN %(first)s AND %(last)s
        RETURNING member_id, seq, available, held, debt
    )
    INSERT INTO bench_entry (
        member_id, op_id, posted_at, seq, available_change, held_change, debt_change,
        available_after, held_after, debt_after, day, kind, counter, alloc, reason
    )
    SELECT member_id, gen_random_uuid(), now(), seq, -1, 0, 0, available, held, debt, now()::date, 7,
           90, ARRAY[1, 1], 'lapsed'
    FROM moved
"""
SWEPT_AT_ONCE = 1_000


def measure_sweep(size: Size, database: databases.Database, span: tuple[int, int]) -> Measured:
    """Members whose first bucket has ended, a thousand a commit, beside the bare statements."""
    measured = Measured()
    with database.connect(as_owner=True) as owner, database.connect() as app:
        owner.execute(BULK_TABLES)
        owner.execute("ALTER TABLE bench_entry ALTER reason SET DEFAULT ''")
        calls = size.swept // SWEPT_AT_ONCE
        for turn in range(1, books.BUCKETS + 1):
            started = time.monotonic()
            for call in range(calls):
                first = span[0] + call * SWEPT_AT_ONCE
                owner.execute(BULK, {"first": first, "last": first + SWEPT_AT_ONCE - 1})
            measured.add("bulk", size.swept / (time.monotonic() - started), 0.0, [])
            # Past the end of one more bucket: they are months apart.
            app.execute(
                "SELECT set_config('zone.clock_offset', %s, false)",
                [f"{books.MONTHS_APART * turn + 1} months"],
            )
            app.execute("SELECT ledger.expire_batch(1)")  # A new day, and its partitions.
            started = time.monotonic()
            done = 0
            for _ in range(calls):
                done += app.execute("SELECT ledger.expire_batch(%s)", [SWEPT_AT_ONCE]).fetchone()[0]
            assert done == size.swept, done
            measured.add("sweep", size.swept / (time.monotonic() - started), 0.0, [])
    return measured


class Peer:
    """django-hordak in an environment of its own, made ready while our members are loaded."""

    def __init__(self, stack: ExitStack, seconds: float) -> None:
        self.stack, self.seconds = stack, seconds
        self.process: subprocess.Popen[str] | None = None
        helper = stack.enter_context(ThreadPoolExecutor(1))
        self.prepared = helper.submit(self._prepare, stack.enter_context(databases.empty("peer")))

    def _prepare(self, database: databases.Database) -> None:
        home = settings.ZONE_DATA / "bench" / "peer"
        python = home / "bin" / "python"
        wanted = settings.BASE_DIR / "requirements" / "bench.txt"
        stamp = home / "installed"
        if not stamp.exists() or stamp.read_text() != wanted.read_text():
            venv.create(home, with_pip=True, clear=True)
            done = subprocess.run(
                [python, "-m", "pip", "install", "-q", "--require-hashes", "-r", wanted],
                capture_output=True, text=True, check=False, timeout=PEER_SECONDS_MAX,
            )  # fmt: skip
            if done.returncode:
                return
            stamp.write_text(wanted.read_text())
        self.process = subprocess.Popen(
            [
                str(python), "tests/bench/peer.py", database.owner_url, str(pgbench.CLIENTS),
                str(self.seconds),
            ],
            cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.stack.callback(self.process.kill)
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n", "the peer did not start"

    def wait(self) -> None:
        self.prepared.result(PEER_SECONDS_MAX)

    def measure(self) -> float | None:
        """Transfers a second with as many processes as ours; None where it cannot be had."""
        if self.process is None:
            return None
        said, _ = self.process.communicate("go\n", timeout=PEER_SECONDS_MAX)
        return float(said.split()[-1])


def are_books_sound(database: databases.Database) -> bool:
    """`verify_books`; what breaks an invariant is shown."""
    lines = StringIO()
    with databases.in_use(database, pool=False):
        try:
            call_command("verify_books", stdout=lines)
        except CommandError as error:
            sys.stdout.write(f"{lines.getvalue()}{error}\n")
            return False
    return True


def lines_of(size: Size, verbs: Measured, sweep: Measured, peer: float | None) -> list[Line]:
    floor = verbs.rate("floor")
    lines = [
        against("spend as SQL function", verbs.rate("spend"), "verbs/s", "pgbench -N", floor,
                at_least=BARS["verb"]),
        against("earn as SQL function", verbs.rate("earn"), "verbs/s", "pgbench -N", floor,
                at_least=BARS["verb"]),
        against("hold and capture", verbs.rate("hold and capture"), "verbs/s", "pgbench -N", floor),
        against("spend through credits.ledger", verbs.rate("spend, Python"), "verbs/s",
                "pgbench -N", floor, at_least=BARS["through Python"]),
        against(f"batch earn, {scripts.BATCH} a commit", verbs.rate("batch"), "earns/s",
                "single earn", verbs.rate("earn"), at_least=BARS["batch"]),
        against("expiry sweep", sweep.rate("sweep"), "members/s", "bare UPDATE + INSERT",
                sweep.rate("bulk"), at_least=BARS["sweep"]),
        against(f"spend p95 at {size.members:,} members", verbs.percentile("spend", 0.95), "ms",
                f"{size.few_members:,} members", verbs.percentile("spend, few", 0.95),
                at_most=BARS["members"]),
    ]  # fmt: skip
    if peer is not None:
        lines.append(
            against("spend through credits.ledger", verbs.rate("spend, Python"), "verbs/s",
                    "django-hordak transfer_to", peer, at_least=1.0)
        )  # fmt: skip
    else:
        sys.stdout.write("django-hordak could not be installed here; no peer in this run.\n")
    for name, values in verbs.cpu_us.items():
        what = "client and server" if name.endswith("Python") else "server"
        lines.append(figure(f"CPU of the {what}: {name}", median(values), "µs"))
    for name in ("floor", "spend", "earn", "spend, Python"):
        for share in (0.5, 0.95, 0.99):
            lines.append(
                figure(f"{name} p{round(100 * share)}", verbs.percentile(name, share), "ms")
            )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--members", type=int)
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else FULL
    if chosen.members:
        size = replace(size, members=chosen.members)
    databases.template()
    say("the template is there")
    with ExitStack() as stack:
        # Only the loading runs beside it; before the first round it is ready and waits.
        peer = Peer(stack, size.seconds)
        database, span = ledger_of(size.members, stack)
        few, few_span = ledger_of(size.few_members, stack)
        scale = max(1, size.members // pgbench.ACCOUNTS_PER_SCALE)
        pgbench.make_tables(database, scale=scale)
        peer.wait()
        verbs = measure_verbs(size, database, span, few, few_span)
        say("the sweep, beside bare statements")
        sweep = measure_sweep(size, database, span)
        say("django-hordak")
        transfers = peer.measure()
        say("verifying the books")
        sound = [are_books_sound(each) for each in (database, few)]
    return publish("credits", lines_of(size, verbs, sweep, transfers), books_ok=all(sound))


if __name__ == "__main__":
    sys.exit(main())
