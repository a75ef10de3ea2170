"""One process that calls verbs of `credits.ledger`, back to back, when told to.

Each line on standard input is `VERB SECONDS`; the answer is one line of JSON: how many were posted,
how many were refused, the CPU seconds used, and some of the latencies.
"""

import json
import random
import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402

from credits import errors, ledger  # noqa: E402
from zone.core.ids import uuid7  # noqa: E402

VERBS = {"spend": ledger.spend, "earn": ledger.earn}
SAMPLE_EVERY = 5


def main() -> None:
    first, last, seed = map(int, sys.argv[1:4])
    dice = random.Random(seed)
    connection.ensure_connection()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for order in sys.stdin:
        verb, seconds = order.split()
        call = VERBS[verb]
        posted = refused = 0
        latencies: list[float] = []
        cpu, deadline = time.process_time(), time.monotonic() + float(seconds)
        while (began := time.monotonic()) < deadline:
            try:
                call(member_id=dice.randint(first, last), op_id=uuid7(), amount=1)
                posted += 1
            except errors.LedgerError:
                refused += 1
            if posted % SAMPLE_EVERY == 0:
                latencies.append(1000 * (time.monotonic() - began))
        said = {
            "posted": posted,
            "refused": refused,
            "cpu": time.process_time() - cpu,
            "latencies_ms": latencies,
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
