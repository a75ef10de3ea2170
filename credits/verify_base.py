"""What a promise of the books looks like."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise. `sql` returns one row per offence, its columns naming the offender.

    A liveness promise ("something settles in time", "the machine is set up well") is a warning
    unless the books are verified strictly: a busy hour may break it without any harm done.
    """

    id: str
    title: str
    sql: str
    is_liveness: bool = False
