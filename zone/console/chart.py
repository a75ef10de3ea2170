"""A bar chart as plain SVG: no script, prints, is read aloud, and each bar is a link."""

from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 720, 200
_TOP, _BOTTOM, _LEFT, _RIGHT = 14, 24, 40, 14


@dataclass(frozen=True)
class Bar:
    """One day: where its bar stands and what it says. Sizes are SVG units."""

    x: float
    y: float
    width: float
    height: float
    label: str
    says: str
    link: str
    middle: float


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    grid: list[tuple[float, int]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    base: int = HEIGHT - _BOTTOM


def bar_chart(days: list[tuple[date, int]], links: list[str]) -> Chart:
    """Bars for `days`, the tallest near a round number, every seventh day written below."""
    top = round_up(max((count for _day, count in days), default=0))
    room = HEIGHT - _TOP - _BOTTOM
    step = (WIDTH - _LEFT - _RIGHT) / max(len(days), 1)
    bars = []
    for number, ((day, count), link) in enumerate(zip(days, links, strict=True)):
        height = room * count / top
        x = _LEFT + number * step
        is_written = (len(days) - 1 - number) % 7 == 0
        bars.append(
            Bar(
                x=round(x + step * 0.15, 1),
                y=round(HEIGHT - _BOTTOM - height, 1),
                width=round(step * 0.7, 1),
                height=round(height, 1),
                label=f"{day:%d %b}" if is_written else "",
                says=f"{day:%Y-%m-%d}: {count}",
                link=link,
                middle=round(x + step / 2, 1),
            )
        )
    grid = [(round(HEIGHT - _BOTTOM - room * part / 2, 1), top * part // 2) for part in (0, 1, 2)]
    return Chart(bars, grid)


def round_up(value: int) -> int:
    """The next even round number at or above `value`: 2, 4, 10, 20, 40, 100, ..."""
    size = 1
    while True:
        for step in (2, 4, 10):
            if value <= step * size:
                return step * size
        size *= 10
