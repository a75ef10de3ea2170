"""PostgreSQL's own pgbench: its plain workload as the floor, and scripts of ours beside it."""

import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.databases import Database
from zone.embedded.postgres import programs

CLIENTS = 8
FILLFACTOR = 70  # as the accounts of the ledger have it
ACCOUNTS_PER_SCALE = 100_000
SAMPLED = 0.2  # of the transactions, for the percentiles
# The first ones of a connection fill its caches and plan; they are no part of what is measured.
WARMING_TRANSACTIONS = 20
WARMING_SECONDS = 1
_DONE = re.compile(r"number of transactions actually processed: (\d+)")
_FIRST = re.compile(r"progress: ([\d.]+) s, ([\d.]+) tps")
_FAILED = re.compile(r"number of failed transactions: (\d+)")


@dataclass(frozen=True)
class Run:
    """What one run of pgbench showed."""

    rate: float
    failed: int
    server_cpu_us: float  # per transaction, all backends together; 0 for a server elsewhere
    latencies_ms: list[float]

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def make_tables(database: Database, *, scale: int) -> None:
    """pgbench's tables: `scale` times 100,000 accounts, filled as loosely as the ledger's."""
    _run(database.owner_url, "-i", "-q", "-F", str(FILLFACTOR), "-s", str(scale))


def run_floor(database: Database, *, seconds: float, clients: int = CLIENTS) -> Run:
    """`pgbench -N -M prepared`: one row updated, one read, one inserted, one commit."""
    return _measure(database, database.owner_url, ["-N"], seconds, clients)


def run_script(database: Database, script: str, *, seconds: float, clients: int = CLIENTS) -> Run:
    """Transactions of a script of ours, as the app's role."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        return _measure(database, database.app_url, ["-f", file.name], seconds, clients)


def _measure(database: Database, url: str, what: list[str], seconds: float, clients: int) -> Run:
    with tempfile.TemporaryDirectory() as folder, database.connect(as_owner=True) as watcher:
        length = WARMING_SECONDS + max(1, round(seconds))
        before = server_cpu_seconds(watcher)
        said = _run(
            url, "-n", "-M", "prepared", "-T", str(length), "-P", str(WARMING_SECONDS),
            *("-c", str(clients), "-j", "2", *what),
            *("--log", f"--log-prefix={folder}/log", f"--sampling-rate={SAMPLED}"),
        )  # fmt: skip
        time.sleep(0.3)  # The backends end a moment after their clients.
        cpu = server_cpu_seconds(watcher) - before
        latencies = [
            int(microseconds) / 1000
            for log in Path(folder).iterdir()
            for _, number, microseconds, *_ in map(str.split, log.read_text().splitlines())
            if int(number) > WARMING_TRANSACTIONS and microseconds.isdigit()
        ]
    done = int(_found(_DONE, said)[1])
    first = _found(_FIRST, said)
    warm_from, warming_rate = float(first[1]), float(first[2])
    return Run(
        rate=(done - warm_from * warming_rate) / (length - warm_from),
        failed=int(_found(_FAILED, said)[1]),
        server_cpu_us=cpu * 1e6 / done,
        latencies_ms=latencies,
    )


def _run(url: str, *arguments: str) -> str:
    done = subprocess.run(
        [str(programs() / "pgbench"), *arguments, url],
        capture_output=True, text=True, check=False, env=os.environ, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr  # Progress goes to the latter.


def _found(pattern: re.Pattern[str], said: str) -> re.Match[str]:
    match = pattern.search(said)
    assert match, said
    return match


def server_cpu_seconds(watcher: psycopg.Connection) -> float:
    """CPU the server has used so far: the postmaster, its living children and those that ended."""
    [(pid,)] = watcher.execute("SELECT pg_backend_pid()").fetchall()
    try:
        postmaster = int(_fields(Path(f"/proc/{pid}/stat"))[1])
    except OSError:
        return 0.0
    ticks = sum(map(int, _fields(Path(f"/proc/{postmaster}/stat"))[11:15]))
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = _fields(stat)
        except OSError:
            continue
        if int(fields[1]) == postmaster:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields(stat: Path) -> list[str]:
    return stat.read_text().rsplit(")", 1)[1].split()
