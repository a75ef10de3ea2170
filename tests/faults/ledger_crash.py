"""Clients, connections and backends that die at random, and what must be true afterwards.

    python -m tests.faults.ledger_crash [--seconds 60] [--seed N]

Six clients post to a few members through a proxy that loses requests and replies. Meanwhile
clients are killed with signal 9, sessions are ended, and backends are killed so that PostgreSQL
recovers from a crash. Then everything is left in peace, the clients finish, and three histories
are compared: what the clients heard, what the journal holds, and what a repeat of each operation
answers. The server is private to a run, since a killed backend takes all of it down for a moment.
"""

import argparse
import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
if __name__ == "__main__":
    django.setup()

import psycopg
from django.conf import settings

from tests import databases, factories
from tests.faults.cuts import Cuts
from zone.embedded import servers
from zone.embedded.postgres import programs

CLIENTS = 6
MEMBERS = 4
CUT_SHARE = 0.01  # of the requests, and of the replies
FINISH_SECONDS_MAX = 60
REPEATED = 1_000  # operations asked for once more at the end


@dataclass
class Report:
    """What a run did, and what of it should not have been."""

    seed: int
    answered: int = 0
    posted: int = 0
    backends_killed: int = 0
    sessions_ended: int = 0
    clients_killed: int = 0
    requests_lost: int = 0
    replies_lost: int = 0
    lost: list[str] = field(default_factory=list)  # acknowledged, and not in the journal
    doubled: list[str] = field(default_factory=list)  # one order, two entries
    unasked: list[str] = field(default_factory=list)  # in the journal, and not acknowledged
    altered: list[str] = field(default_factory=list)  # another answer, or amount, the second time
    books: str = ""  # what `verify_books` said when it was not content

    @property
    def faults(self) -> dict[str, Any]:
        names = ("lost", "doubled", "unasked", "altered", "books")
        return {name: value for name in names if (value := getattr(self, name))}

    def __str__(self) -> str:
        facts = {key: value for key, value in vars(self).items() if isinstance(value, int)}
        return " ".join(f"{key}={value}" for key, value in facts.items())


def run(*, seconds: float, seed: int, is_careless: bool = False) -> Report:
    """Let everything break for so long, heal it, and compare.

    `is_careless` takes two guards away: a client's retry is a new operation, and the server
    answers before its log is on disk. It is the control: such a run must show losses and doubles.
    """
    report = Report(seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database, members = stack.enter_context(_private_ledger(folder, is_careless=is_careless))
        parts = urlsplit(database.app_url)
        cuts = Cuts(host=dict(parse_qsl(parts.query))["host"], port=parts.port or 5432, seed=seed)
        stack.callback(cuts.close)
        clients = Clients(folder, database, cuts.port, members, seed, is_careless=is_careless)
        stack.callback(clients.kill_all)
        clients.start_all()
        _break_things(report, database, clients, cuts, seconds=seconds)
        clients.finish()
        report.requests_lost, report.replies_lost = cuts.lost_requests, cuts.lost_replies
        _compare(report, database, clients.histories())
        books = database.manage("verify_books")
        report.books = "" if books.returncode == 0 else books.stdout + books.stderr
    return report


# PostgreSQL 15 as Debian builds it marks columns with an option that no other build knows.
_FOREIGN = re.compile(rb"(?m)^ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(pg_attver=\d+\);\n")


@contextmanager
def _private_ledger(folder: Path, *, is_careless: bool):
    """A server of this run's own, holding a copy of the tests' template and a few members."""
    with databases.copy("crash") as pattern, databases.in_use(pattern, pool=False):
        members = [factories.make_member().pk for _ in range(MEMBERS)]
        dump = subprocess.run(
            [programs() / "pg_dump", "--no-owner", "--no-privileges", pattern.owner_url],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        dump = _FOREIGN.sub(b"", dump)
    data = folder / "zone"
    found = servers.connect(data, database=True, redis=False)
    try:
        subprocess.run(
            [programs() / "psql", "-q", "-v", "ON_ERROR_STOP=1", found.migrate_database_url],
            input=dump, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        name = urlsplit(found.database_url).path.strip("/")
        database = databases.Database(
            name=name, owner_url=found.migrate_database_url, app_url=found.database_url
        )
        # The rights are made anew: the owner has another name here.
        granted = database.manage("setup_roles")
        assert granted.returncode == 0, granted.stderr
        with database.connect(as_owner=True) as owner:
            is_durable = "off" if is_careless else "on"
            owner.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = {is_durable}')
        yield database, members
    finally:
        servers.leave(data)


class Clients:
    """The client processes; one that was killed is started again and takes up where it was."""

    def __init__(
        self,
        folder: Path,
        database: databases.Database,
        port: int,
        members: list[int],
        seed: int,
        *,
        is_careless: bool,
    ) -> None:
        self.stop_file = folder / "stop"
        self.journals = [folder / f"client-{number}" for number in range(CLIENTS)]
        for journal in self.journals:
            journal.touch()
        self.members, self.seed = members, seed
        parts = urlsplit(database.app_url)
        query = {k: v for k, v in parse_qsl(parts.query) if k != "host"}
        proxied = parts._replace(
            netloc=f"{parts.username}@127.0.0.1:{port}", query=urlencode(query)
        )
        self.env = {
            **os.environ,
            **database.env,
            "DATABASE_URL": urlunsplit(proxied),
            "DJANGO_SETTINGS_MODULE": "zone.settings",
            "LEDGER_CLIENT_IS_CARELESS": "1" if is_careless else "",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start_all(self) -> None:
        self.processes = [self._started(number) for number in range(CLIENTS)]

    def _started(self, number: int) -> "subprocess.Popen[bytes]":
        journal = self.journals[number]
        with journal.with_suffix(".log").open("ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.faults.ledger_client", str(journal)),
                    *(str(self.stop_file), f"{self.seed}-{number}", *map(str, self.members)),
                ],
                env=self.env, cwd=settings.BASE_DIR, stdout=log, stderr=log,
            )  # fmt: skip

    def kill_one(self, number: int) -> None:
        self.processes[number].kill()
        self.processes[number].wait()
        self.processes[number] = self._started(number)

    def kill_all(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def finish(self) -> None:
        """Every open operation gets its answer, in peace and within a minute."""
        self.stop_file.touch()
        deadline = time.monotonic() + FINISH_SECONDS_MAX
        for process, journal in zip(self.processes, self.journals, strict=True):
            code = process.wait(max(0.1, deadline - time.monotonic()))
            assert code == 0, journal.with_suffix(".log").read_text()[-3000:]

    def histories(self) -> list[tuple[dict[str, Any], list[Any]]]:
        """Each order with its answer; an order that was followed by another was given up."""
        pairs = []
        for journal in self.journals:
            order: dict[str, Any] = {}
            for line in map(json.loads, journal.read_text().splitlines()):
                if isinstance(line, dict):
                    order = line
                else:
                    pairs.append((order, line))
        return pairs


def _break_things(
    report: Report,
    database: databases.Database,
    clients: Clients,
    cuts: Cuts,
    *,
    seconds: float,
) -> None:
    """A fault every few tenths of a second, drawn by the seed; nothing is broken afterwards."""
    dice = random.Random(report.seed)
    while not all(journal.stat().st_size for journal in clients.journals):
        time.sleep(0.05)  # They take a while to start.
    cuts.request_share = cuts.reply_share = CUT_SHARE
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(dice.uniform(0.1, 0.5))
        fault = dice.choices(("session", "backend", "client"), (6, 3, 1))[0]
        if fault == "client":
            clients.kill_one(dice.randrange(CLIENTS))
            report.clients_killed += 1
            continue
        with suppress(psycopg.OperationalError), database.connect(as_owner=True) as owner:
            pids = [
                pid
                for (pid,) in owner.execute(
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() ORDER BY pid"
                )
            ]
            if pids and fault == "session":
                owner.execute("SELECT pg_terminate_backend(%s)", [dice.choice(pids)])
                report.sessions_ended += 1
            elif pids:
                with suppress(ProcessLookupError):
                    os.kill(dice.choice(pids), signal.SIGKILL)
                    report.backends_killed += 1
    cuts.request_share = cuts.reply_share = 0.0


def _compare(
    report: Report, database: databases.Database, histories: list[tuple[dict[str, Any], list[Any]]]
) -> None:
    """Orders, answers and journal: each acknowledged operation is there once, and nothing else."""
    deadline = time.monotonic() + FINISH_SECONDS_MAX
    while True:
        try:
            owner = database.connect(as_owner=True)
        except psycopg.OperationalError:  # Still recovering from the last kill.
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            break
    with owner:
        rows = owner.execute(
            "SELECT op_id::text, kind, related, ledger.amount_of(kind, available_change,"
            " held_change, debt_change) FROM ledger.entry WHERE kind <> 7"
        ).fetchall()
    amounts = {op: amount for op, _, _, amount in rows}
    report.answered = len(histories)
    acknowledged = set()
    for order, said in histories:
        op = order["op"]
        if said[0] == "ok":
            acknowledged.add(op)
            if op not in amounts:
                report.lost.append(op)
            elif amounts[op] != said[1]:
                report.altered.append(op)
        elif op in amounts:
            report.altered.append(op)
    report.posted = len(acknowledged)
    report.unasked = [op for op in amounts if op not in acknowledged]
    seen: set[tuple[int, str]] = set()
    for op, kind, related, _ in rows:
        if kind not in (4, 5):  # These carry the name of their hold; I14 counts them.
            if (kind, related) in seen:
                report.doubled.append(op)
            seen.add((kind, related))
    report.altered += _repeat(database, histories, report.seed)


def _repeat(
    database: databases.Database, histories: list[tuple[dict[str, Any], list[Any]]], seed: int
) -> list[str]:
    """Ask for posted operations once more: each must get its first answer, to the last letter."""
    posted = [pair for pair in histories if pair[1][0] == "ok"]
    chosen = random.Random(seed).sample(posted, min(REPEATED, len(posted)))
    program = (
        "import json, sys, django; django.setup();"
        "from tests.faults.ledger_client import told;"
        "print(json.dumps([told(order) for order in json.load(sys.stdin)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings"},
        cwd=settings.BASE_DIR, input=json.dumps([order for order, _ in chosen]),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    again = json.loads(done.stdout)
    return [
        order["op"] for (order, first), second in zip(chosen, again, strict=True) if first != second
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    chosen = parser.parse_args()
    report = run(seconds=chosen.seconds, seed=chosen.seed)
    sys.stdout.write(f"{report}\n")
    for name, what in report.faults.items():
        sys.stdout.write(f"{name}: {what}\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
