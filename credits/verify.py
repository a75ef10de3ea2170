"""The promises of the ledger as queries: each returns the keys that break it, or nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise. `sql` returns one row per offence, its columns naming the offender.

    A liveness promise ("something settles in time") is a warning unless the books are verified
    strictly: a busy hour may break it without any harm done.
    """

    id: str
    title: str
    sql: str
    is_liveness: bool = False


INVARIANTS: list[Invariant] = []
