"""What a bench found: a table on the screen, a file for machines, and an exit code."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

_STARTED = time.monotonic()


def say(what: str) -> None:
    """Tell whoever waits what is being done, and how long the bench has run."""
    sys.stdout.write(f"[{time.monotonic() - _STARTED:6.1f} s] {what}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Line:
    """One figure, beside what it is measured against; `met` is None where there is no bar."""

    measure: str
    value: float
    unit: str
    baseline: str | None = None
    baseline_value: float | None = None
    ratio: float | None = None
    bar: float | None = None
    met: bool | None = None


def figure(measure: str, value: float, unit: str) -> Line:
    return Line(measure, round(value, 3), unit)


def against(
    measure: str,
    value: float,
    unit: str,
    baseline: str,
    baseline_value: float,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Line:
    """A figure and its ratio to a baseline of the same run, with the bar that ratio has to reach."""
    ratio = value / baseline_value if baseline_value else 0.0
    met = None
    if at_least is not None:
        met = ratio >= at_least
    elif at_most is not None:
        met = 0 < ratio <= at_most
    return Line(
        measure, round(value, 2), unit, baseline, round(baseline_value, 2), round(ratio, 3),
        at_least if at_least is not None else at_most, met,
    )  # fmt: skip


def publish(name: str, lines: list[Line], *, books_ok: bool) -> int:
    """Write `bench/NAME.json`, print the table; 1 when a bar is missed or the books are broken."""
    place = Path(settings.ZONE_DATA) / "bench"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.json").write_text(json.dumps([asdict(line) for line in lines], indent=1))
    for line in lines:
        row = f"{line.measure:42} {line.value:>11} {line.unit:12}"
        if line.ratio is not None:
            row += f" {line.ratio} × {line.baseline} ({line.baseline_value})"
        if line.bar is not None:
            row += f", bar {line.bar}: {'met' if line.met else 'MISSED'}"
        sys.stdout.write(row.rstrip() + "\n")
    sys.stdout.write(f"books: {'agree' if books_ok else 'DO NOT AGREE'}\n")
    return 0 if books_ok and all(line.met is not False for line in lines) else 1
