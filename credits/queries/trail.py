"""Which credits paid for what: from an earn to its uses and back, bucket by bucket.

The journal says from which buckets an entry took (`alloc`). Within one bucket the order is stated
here, and always the same: credits leave in the order in which they came (by `seq`); a clawback takes
what is left of the very earn it undoes first; what comes back (a release, the rest of a capture, a
refund) is the last that was taken from that bucket, and stands in its old place again. So the trail
follows from the journal alone, whoever reads it and whenever.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from credits.kinds import Kind
from credits.queries.journal import EntryLine, expiry_of, key_of, read_lines
from zone.members.models import Member

LINES_PER_READ = 2000
_GIVING = (Kind.EARN, Kind.ADJUST)
_RETURNING = (Kind.RELEASE, Kind.CAPTURE, Kind.REFUND)


@dataclass(frozen=True, slots=True)
class Share:
    """So many credits of one bucket, that came with `source` and left with `use`."""

    source: EntryLine
    use: EntryLine
    bucket: int
    amount: int

    @property
    def expires_on(self) -> date:
        return expiry_of(self.bucket)


@dataclass(slots=True)
class Trail:
    """Every share of what was asked about, oldest first, and what of the sources is still there."""

    lines: list[EntryLine]
    shares: list[Share]
    left: dict[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(share.amount for share in self.shares)

    @property
    def left_total(self) -> int:
        return sum(self.left.values())


def trace_source(member: Member | int, related: str) -> Trail:
    """Where the credits went that entries about `related` (a purchase) gave."""
    replay = _Replay(key_of(member))
    sources = [
        line
        for line in replay.lines.values()
        if line.related == related and line.kind in _GIVING and line.available_change > 0
    ]
    seqs = {line.seq for line in sources}
    left = {
        bucket: amount
        for bucket, parts in sorted(replay.buckets.items())
        if (amount := sum(parts.get(seq, 0) for seq in seqs))
    }
    return Trail(sources, [share for share in replay.shares() if share.source.seq in seqs], left)


def trace_use(member: Member | int, related: str) -> Trail:
    """Where the credits came from that paid for `related` (a claim); less what was given back."""
    replay = _Replay(key_of(member))
    uses = [
        line
        for line in replay.lines.values()
        if line.related == related and line.kind in (Kind.SPEND, Kind.HOLD)
    ]
    seqs = {line.seq for line in uses}
    return Trail(uses, [share for share in replay.shares() if share.use.seq in seqs])


@dataclass(slots=True)
class _Part:
    bucket: int
    source: int
    amount: int


class _Replay:
    """A member's journal from its beginning: which source each credit in each bucket has."""

    def __init__(self, member_id: int) -> None:
        self.lines: dict[int, EntryLine] = {}
        self.buckets: dict[int, dict[int, int]] = defaultdict(dict)
        self.taken: dict[int, list[_Part]] = {}
        self.seq_of: dict[UUID, int] = {}
        for line in _journal(member_id):
            self.lines[line.seq] = line
            self.seq_of[line.op_id] = line.seq
            self._follow(line)

    def shares(self) -> Iterator[Share]:
        for use, parts in self.taken.items():
            for part in parts:
                if part.amount:
                    source = self.lines[part.source]
                    yield Share(source, self.lines[use], part.bucket, part.amount)

    def _follow(self, line: EntryLine) -> None:
        pairs = list(zip(line.alloc[::2], line.alloc[1::2], strict=True))
        if line.available_change < 0:
            first = self.seq_of.get(line.orig_op) if line.orig_op else None
            self.taken[line.seq] = [
                part for bucket, amount in pairs for part in self._take(bucket, amount, first)
            ]
        elif line.kind in _RETURNING:
            for bucket, amount in pairs:
                self._give_back(line, bucket, amount)
        else:
            for bucket, amount in pairs:
                self._add(bucket, line.seq, amount)

    def _add(self, bucket: int, source: int, amount: int) -> None:
        parts = self.buckets[bucket]
        parts[source] = parts.get(source, 0) + amount

    def _take(self, bucket: int, amount: int, first: int | None) -> list[_Part]:
        parts, taken = self.buckets[bucket], []
        for source in sorted(parts, key=lambda seq: (seq != first, seq)):
            if not amount:
                break
            part = min(amount, parts[source])
            taken.append(_Part(bucket, source, part))
            amount -= part
            if part == parts[source]:
                del parts[source]
            else:
                parts[source] -= part
        return taken

    def _give_back(self, line: EntryLine, bucket: int, amount: int) -> None:
        for part in reversed(self.taken.get(self._root_of(line), [])):
            if not amount:
                return
            back = min(amount, part.amount) if part.bucket == bucket else 0
            if back:
                part.amount -= back
                amount -= back
                self._add(bucket, part.source, back)
        if amount:  # Into a bucket that it did not come from: it begins anew here.
            self._add(bucket, line.seq, amount)

    def _root_of(self, line: EntryLine) -> int:
        """The entry that took the credits: a refund may name a capture, which names its hold."""
        seq = self.seq_of.get(line.orig_op, 0) if line.orig_op else 0
        origin = self.lines.get(seq)
        if origin is not None and origin.kind == Kind.CAPTURE and origin.orig_op:
            return self.seq_of.get(origin.orig_op, 0)
        return seq


def _journal(member_id: int) -> Iterator[EntryLine]:
    after = 0
    while lines := read_lines(
        "WHERE member_id = %s AND seq > %s ORDER BY seq LIMIT %s",
        [member_id, after, LINES_PER_READ],
    ):
        yield from lines
        after = lines[-1].seq
