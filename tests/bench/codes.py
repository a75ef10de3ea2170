"""A million codes from a file: rows a second, memory, and how near to a bare COPY it is.

`make bench-codes` stages a file as an upload does and lets one worker process take it, on a
database of its own; `QUICK=1` makes it short. The floor beside it is the very rows that were
stored, sent by one COPY from memory into an empty table with the same columns and indexes: nothing
is parsed, checked, sealed or numbered there. The books are verified afterwards.
"""

import io
import os
import subprocess
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from benefits.models import CodeImport  # noqa: E402
from benefits.services.staging import Stager  # noqa: E402
from tests import databases  # noqa: E402
from tests.benefits.factories import make_benefit, make_release  # noqa: E402
from zone.core.clock import database_now  # noqa: E402

ROWS = 100_000 if os.environ.get("QUICK") else 1_000_000
BAR = 0.25
PIECE_BYTES = 64 * 1024
DRAIN = (
    "import django, time, resource; django.setup();"
    "from benefits.services.code_imports import drain_imports;"
    "started, cpu = time.monotonic(), time.process_time()\n"
    "while drain_imports(): pass\n"
    "print(time.monotonic() - started, time.process_time() - cpu,"
    " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
)
STORED = "release_id, slot, batch_id, sealed, code_index, last_four, redeem_url_sealed, expires_on"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def stage(release) -> CodeImport:
    """The file arrives in pieces, as an upload does; it is never whole in memory."""
    stager = Stager(release=release, file_name="bench.csv", actor="bench", now=database_now())
    stager.write(b"code,redemption_url,expires_on\n")
    piece = bytearray()
    for number in range(ROWS):
        code = f"BENCH{number:011d}"
        piece += f"{code},https://apps.apple.com/redeem?ctx=offercodes&id=1234567890&code={code},\n".encode()
        if len(piece) > PIECE_BYTES:
            stager.write(bytes(piece))
            piece.clear()
    stager.write(bytes(piece))
    return stager.finish(expires_on=None, life_days_min=7, now=database_now())


def take(database: databases.Database) -> tuple[float, float, float]:
    """One worker process takes the file: seconds, its own CPU seconds, and its peak in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", DRAIN],
        env={**os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings"},
        cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=3_000, check=True,
    )  # fmt: skip
    seconds, cpu, mib = map(float, done.stdout.split()[-3:])
    return seconds, cpu, mib


def bare_copy(database: databases.Database) -> float:
    """Seconds for the same rows into an empty twin of the table, indexes included."""
    with database.connect(as_owner=True) as owner:
        rows = io.BytesIO()
        with owner.cursor().copy(
            f"COPY (SELECT {STORED} FROM benefits_code) TO STDOUT (FORMAT BINARY)"
        ) as out:
            for block in out:
                rows.write(block)
        owner.execute("CREATE TABLE bare (LIKE benefits_code INCLUDING ALL)")
        started = time.monotonic()
        with owner.cursor().copy(f"COPY bare ({STORED}) FROM STDIN (FORMAT BINARY)") as sink:
            sink.write(rows.getvalue())
        seconds = time.monotonic() - started
        (count,) = owner.execute("SELECT count(*) FROM bare").fetchone()
        owner.execute("DROP TABLE bare")
    if count != ROWS:
        raise SystemExit(f"the floor stored {count} rows, not {ROWS}")
    return seconds


def main() -> int:
    with databases.copy("bench") as database, databases.in_use(database, pool=False):
        release = make_release(make_benefit(kind="partner_perk"), mode="codes")
        started = time.monotonic()
        row = stage(release)
        connections.close_all()
        say(
            f"staged {ROWS} rows, {row.file_bytes / 2**20:.0f} MiB, in {time.monotonic() - started:.1f} s"
        )
        seconds, cpu, mib = take(database)
        row.refresh_from_db()
        release.refresh_from_db()
        say(
            f"taken {row.accepted_count} of {row.row_count}: {ROWS / seconds:.0f} rows/s"
            f" ({1e6 * cpu / ROWS:.0f} µs CPU each), {mib:.0f} MiB at most, on sale {release.stock}"
        )
        connections.close_all()
        floor = bare_copy(database)
        ratio = floor / seconds
        say(f"bare COPY {ROWS / floor:.0f} rows/s: ratio {ratio:.2f} (bar {BAR})")
        books = database.manage("verify_books")
        say("books verified" if books.returncode == 0 else books.stdout)
        is_whole = (row.state, row.accepted_count, release.stock) == ("done", ROWS, ROWS)
    return 0 if is_whole and books.returncode == 0 and ratio >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
