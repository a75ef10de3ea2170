"""Which credits paid for what: from an earn to its uses and back, bucket by bucket.

The journal says from which buckets an entry took (`alloc`). Within one bucket the order is stated
here, and always the same: credits leave in the order in which they came (by `seq`); a clawback takes
what is left of the very earn it undoes first; what comes back (a release, the rest of a capture, a
refund) is the last that was taken from that bucket, and stands in its old place again. So the trail
follows from the journal alone, whoever reads it and whenever.

It is read backwards from where the account stands, and no further than the question goes: to the
purchase, or to where the buckets that paid for a claim were empty and nothing that came back into
them had left earlier. What was in another bucket before that is one nameless part, older than all
others, which leaves first.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from credits.kinds import Kind
from credits.queries.entries import AHEAD, list_entries
from credits.queries.journal import EntryLine, expiry_of, key_of
from zone.members.models import Member

LINES_PER_READ = 200
_NAMELESS = 0  # The source of what was there before the first line that was read.
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


def trace_source(member: Member | int, related: str, *, since: datetime | None = None) -> Trail:
    """Where the credits went that entries about `related` (a purchase) gave.

    Nothing about it was posted before `since`; without it the whole journal is read.
    """
    replay = _Replay(key_of(member), since=since)
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


def trace_use(member: Member | int, related: str, *, since: datetime | None = None) -> Trail:
    """Where the credits came from that paid for `related` (a claim); less what was given back.

    Nothing about it was posted before `since`; without it the whole journal is read. A bucket lives
    for a year or so, and what came back into it had left it in that time: the reading ends there.
    """
    replay = _Replay(key_of(member), since=since, use=related)
    uses = [line for line in replay.lines.values() if _is_use(line, related)]
    seqs = {line.seq for line in uses}
    return Trail(uses, [share for share in replay.shares() if share.use.seq in seqs])


@dataclass(slots=True)
class _Part:
    bucket: int
    source: int
    amount: int


class _Replay:
    """A member's journal as far as it was read: which source each credit in each bucket has."""

    def __init__(self, member_id: int, *, since: datetime | None, use: str = "") -> None:
        lines, before = _read_back(member_id, since, use)
        self.lines: dict[int, EntryLine] = {}
        self.buckets: dict[int, dict[int, int]] = defaultdict(dict)
        self.taken: dict[int, list[_Part]] = {}
        self.seq_of: dict[UUID, int] = {}
        for bucket, amount in before.items():
            if amount:
                self._add(bucket, _NAMELESS, amount)
        for line in reversed(lines):
            self.lines[line.seq] = line
            self.seq_of[line.op_id] = line.seq
            self._follow(line)

    def shares(self) -> Iterator[Share]:
        for use, parts in self.taken.items():
            for part in parts:
                if part.amount and part.source != _NAMELESS:
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
        root = self._root_of(line)
        if root not in self.taken:  # Taken before the first line: it returns to its old place.
            self._add(bucket, _NAMELESS, amount)
            return
        for part in reversed(self.taken[root]):
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


def _is_use(line: EntryLine, related: str) -> bool:
    return line.related == related and line.kind in (Kind.SPEND, Kind.HOLD)


def _read_back(
    member_id: int, since: datetime | None, use: str
) -> tuple[list[EntryLine], dict[int, int]]:
    """Lines from the newest back, and what was in each bucket before the oldest of them.

    Back to what was posted before `since`, and until `_Wanted` needs nothing older.
    """
    seq, held = _standing(member_id)
    lines: list[EntryLine] = []
    wanted = _Wanted(use)
    last: UUID | None = None
    while page := list_entries(member_id, before=last, limit=LINES_PER_READ):
        last = page[-1].op_id
        for line in page:
            if line.seq > seq:
                continue  # Posted since the account was read.
            lines.append(line)
            sign = 1 if line.available_change > 0 else -1
            for bucket, amount in zip(line.alloc[::2], line.alloc[1::2], strict=True):
                held[bucket] -= sign * amount
            wanted.note(line)
            is_past = since is not None and line.posted_at < since - AHEAD
            if is_past and wanted.is_answered(held):
                return lines, held
    return lines, held


class _Wanted:
    """What has to be read to name everything that `use` took, while reading backwards."""

    def __init__(self, use: str) -> None:
        self.use = use
        self.buckets: set[int] = set()
        self.origins: set[UUID] = set()  # Operations that took what came back into the buckets.

    def note(self, line: EntryLine) -> None:
        if line.op_id in self.origins:
            self.origins.discard(line.op_id)
            if line.kind == Kind.CAPTURE and line.orig_op:
                self.origins.add(line.orig_op)  # A capture took nothing: its hold had.
        if self.use and _is_use(line, self.use):
            self.buckets.update(line.alloc[::2])
        elif (
            line.kind in _RETURNING and line.orig_op and self.buckets.intersection(line.alloc[::2])
        ):
            self.origins.add(line.orig_op)

    def is_answered(self, held: Mapping[int, int]) -> bool:
        """Whether what is older cannot matter: `held` is what was in each bucket before."""
        return not self.origins and not any(held[bucket] for bucket in self.buckets)


def _standing(member_id: int) -> tuple[int, dict[int, int]]:
    """The number of the member's newest entry, and what is in each bucket after it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, bucket_keys, bucket_left FROM ledger.account WHERE member_id = %s",
            [member_id],
        )
        row = cursor.fetchone()
    if row is None:
        return 0, defaultdict(int)
    return row[0], defaultdict(int, zip(row[1], row[2], strict=True))
