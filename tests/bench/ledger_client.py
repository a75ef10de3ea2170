"""Processes that call verbs of `credits.ledger`, back to back, when told to.

    python -m tests.bench.ledger_client FIRST LAST PROCESSES

Each line on standard input is `VERB SECONDS`; the answer is one line of JSON: how many were posted,
how many were refused, the CPU seconds used, and some of the latencies. Django is loaded once: the
processes are forks, each with a connection of its own.
"""

import json
import multiprocessing
import random
import sys
import time
from multiprocessing.connection import Connection

import django

django.setup()

from django.db import connection  # noqa: E402

from credits import errors, ledger  # noqa: E402
from zone.core.ids import uuid7  # noqa: E402

VERBS = {"spend": ledger.spend, "earn": ledger.earn}
SAMPLE_EVERY = 5


def work(orders: Connection, first: int, last: int, seed: int) -> None:
    """One client: an order from the pipe, an answer into it, until the pipe ends."""
    dice = random.Random(seed)
    connection.ensure_connection()
    orders.send("ready")
    while True:
        try:
            verb, seconds = orders.recv()
        except EOFError:
            return
        call = VERBS[verb]
        posted = refused = 0
        latencies: list[float] = []
        cpu, deadline = time.process_time(), time.monotonic() + seconds
        while (began := time.monotonic()) < deadline:
            try:
                call(member_id=dice.randint(first, last), op_id=uuid7(), amount=1)
                posted += 1
            except errors.LedgerError:
                refused += 1
            if posted % SAMPLE_EVERY == 0:
                latencies.append(1000 * (time.monotonic() - began))
        orders.send((posted, refused, time.process_time() - cpu, latencies))


def main() -> None:
    first, last, number = map(int, sys.argv[1:4])
    context = multiprocessing.get_context("fork")
    pipes = []
    for seed in range(number):
        ours, theirs = context.Pipe()
        # Daemons end with this process, however it ends.
        context.Process(target=work, args=(theirs, first, last, seed), daemon=True).start()
        pipes.append(ours)
    assert all(pipe.recv() == "ready" for pipe in pipes)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for order in sys.stdin:
        verb, seconds = order.split()
        for pipe in pipes:
            pipe.send((verb, float(seconds)))
        answers = [pipe.recv() for pipe in pipes]
        said = {
            "posted": sum(answer[0] for answer in answers),
            "refused": sum(answer[1] for answer in answers),
            "cpu": sum(answer[2] for answer in answers),
            "latencies_ms": [ms for answer in answers for ms in answer[3]],
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
