"""Keeping the months that the liability is read from."""

from django.db import connection

BLOCKS_PER_COMMIT = 20
COMMITS_MAX = 100  # in one call, so that it ends well before its task's time limit


def roll_flows() -> int:
    """Every sealed entry is in its month's sums; says how many blocks were added.

    Safe to kill, to repeat and to run twice at once: sums and how far they go are one commit.
    """
    rolled = 0
    with connection.cursor() as cursor:
        for _ in range(COMMITS_MAX):
            cursor.execute("SELECT ledger.roll_flows(%s)", [BLOCKS_PER_COMMIT])
            count: int = cursor.fetchone()[0]
            if not count:
                break
            rolled += count
    return rolled
