"""Which tier a member holds, from the days on which they earned: arithmetic alone.

Calendar: what is reached in a period holds through the period after it. Rolling: the months up to
today must reach the threshold. In both a tier that is no longer reached is held for the days of
grace, and one that is kept for good was reached in any period of the past. Credits that a refund
took back count against the day they were taken.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rung:
    code: str
    threshold: int
    is_kept_forever: bool = False


@dataclass(frozen=True, slots=True)
class Ladder:
    """A plan with its rungs from the lowest up; the lowest asks for nothing."""

    is_calendar: bool
    months: int
    grace_days: int
    rungs: tuple[Rung, ...]

    def reached(self, earned: int) -> int:
        """The place of the highest rung that `earned` reaches."""
        return max(0, bisect_right([rung.threshold for rung in self.rungs], max(0, earned)) - 1)


@dataclass(frozen=True, slots=True)
class Projection:
    """Where a member stands today. `keep_gap` more by `keep_by` keep the tier; 0: it is safe then.

    `changes_on` is the first day on which the answer may differ though nothing is earned.
    """

    place: int
    earned: int
    to_next: int
    percent: int
    keep_gap: int
    keep_by: date | None
    is_in_grace: bool
    changes_on: date | None


def project(ladder: Ladder, earned_by_day: Sequence[tuple[date, int]], today: date) -> Projection:
    """The standing on `today`, from what each day earned, oldest first."""
    book = _Book(earned_by_day)
    kept = _kept_forever(ladder, book, today)
    if ladder.is_calendar:
        return _by_calendar(ladder, book, today, kept)
    return _by_window(ladder, book, today, kept)


class _Book:
    """Sums over spans of days, each in two look-ups."""

    def __init__(self, earned_by_day: Sequence[tuple[date, int]]) -> None:
        self.days = [day for day, _amount in earned_by_day]
        self.sums = [0, *accumulate(amount for _day, amount in earned_by_day)]

    def between(self, first: date, last: date) -> int:
        """What was earned from `first` to `last`, both included."""
        return self.up_to(last) - self.up_to(first - _DAY)

    def up_to(self, last: date) -> int:
        return self.sums[bisect_right(self.days, last)]


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last."""
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - _DAY).day
    return date(year, month, min(day.day, last))


def _by_calendar(ladder: Ladder, book: _Book, today: date, kept: int) -> Projection:
    start = _period_start(today, ladder.months)
    following = add_months(start, ladder.months)
    before = add_months(start, -ladder.months)
    earned = book.between(start, following - _DAY)
    secure = max(kept, ladder.reached(earned))
    reached = max(secure, ladder.reached(book.between(before, start - _DAY)))
    grace_ends = start + timedelta(days=ladder.grace_days)
    held = reached
    if today < grace_ends:
        held = max(
            held, ladder.reached(book.between(add_months(before, -ladder.months), before - _DAY))
        )
    is_in_grace = held > reached
    keep_by = None
    if held > kept and held > 0:
        ends = grace_ends if is_in_grace else following
        if held == secure:
            ends = add_months(following, ladder.months)
        keep_by = ends - _DAY
    turns = [day for day in (grace_ends, following) if day > today]
    return _answer(ladder, held, earned, held <= secure, keep_by, is_in_grace, min(turns))


def _by_window(ladder: Ladder, book: _Book, today: date, kept: int) -> Projection:
    earned = _window(ladder, book, today)
    secure = max(kept, ladder.reached(earned))
    held, held_on = secure, today
    for back in range(1, ladder.grace_days + 1):
        day = today - _DAY * back
        if (place := ladder.reached(_window(ladder, book, day))) > held:
            held, held_on = place, day
    is_in_grace = held > secure
    keep_by, is_safe, changes_on = None, True, None
    if is_in_grace:
        keep_by = held_on + timedelta(days=ladder.grace_days)
        is_safe, changes_on = False, keep_by + _DAY
    elif held > 0:
        falls_on, left = _next_fall(ladder, book, today, ladder.rungs[held].threshold)
        changes_on = falls_on
        if held > kept:
            keep_by = falls_on - _DAY
            return _answer(ladder, held, earned, False, keep_by, False, changes_on, counted=left)
    return _answer(ladder, held, earned, is_safe, keep_by, is_in_grace, changes_on)


def _next_fall(ladder: Ladder, book: _Book, today: date, threshold: int) -> tuple[date, int]:
    """The first day on which the window holds less than `threshold` if nothing more is earned."""
    for day in book.days[bisect_right(book.days, add_months(today, -ladder.months)) :]:
        leaves_on = add_months(day, ladder.months)
        while add_months(leaves_on, -ladder.months) < day:  # The last days of longer months.
            leaves_on += _DAY
        if leaves_on > today and (left := _window(ladder, book, leaves_on)) < threshold:
            return leaves_on, left
    return add_months(today, ladder.months) + _DAY, 0


def _window(ladder: Ladder, book: _Book, day: date) -> int:
    return book.between(add_months(day, -ladder.months) + _DAY, day)


def _period_start(day: date, months: int) -> date:
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _kept_forever(ladder: Ladder, book: _Book, today: date) -> int:
    """The place of the highest rung for good that any period so far has reached."""
    places = [place for place, rung in enumerate(ladder.rungs) if rung.is_kept_forever]
    if not places or not book.days:
        return 0
    if ladder.is_calendar:
        sums, start = [], _period_start(book.days[0], ladder.months)
        while start <= today:
            following = add_months(start, ladder.months)
            sums.append(book.between(start, following - _DAY))
            start = following
    else:
        sums = [_window(ladder, book, day) for day in book.days if day <= today]
    best = max(map(ladder.reached, sums), default=0)
    return max((place for place in places if place <= best), default=0)


def _answer(
    ladder: Ladder,
    held: int,
    earned: int,
    is_safe: bool,
    keep_by: date | None,
    is_in_grace: bool,
    changes_on: date | None,
    counted: int | None = None,
) -> Projection:
    """`counted` is what counts for keeping the tier, when it is not all that was earned."""
    rung = ladder.rungs[held]
    above = ladder.rungs[held + 1] if held + 1 < len(ladder.rungs) else None
    so_far = max(0, earned)
    gap = 0 if is_safe else max(0, rung.threshold - max(0, earned if counted is None else counted))
    return Projection(
        place=held,
        earned=so_far,
        to_next=max(0, above.threshold - so_far) if above else 0,
        percent=min(99, 100 * so_far // above.threshold) if above else 100,
        keep_gap=gap,
        keep_by=keep_by,
        is_in_grace=is_in_grace,
        changes_on=changes_on,
    )
