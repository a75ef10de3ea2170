"""Settling month ends that have passed, batch by batch."""

from credits import ledger
from zone.core.failpoints import failpoint

SETTLED_PER_COMMIT = 1000  # month ends
BATCHES_MAX = 500  # in one call, so that it ends well before its task's time limit


def settle_expiry(per_commit: int = SETTLED_PER_COMMIT) -> int:
    """Every lapsed bucket is off the books, for what `BATCHES_MAX` commits hold; says how many.

    Safe to kill, to repeat and to run twice at once, beside members who spend: a member somebody
    else holds is left for the next batch. Nothing waits for it, since a lapsed bucket is dead to
    every verb already.
    """
    settled = 0
    for _ in range(BATCHES_MAX):
        count = ledger.expire_batch(per_commit)
        if not count:
            break
        settled += count
        failpoint("expiry_between_batches")
    return settled
