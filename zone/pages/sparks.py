"""The little bar charts of the home page, as numbers an SVG can use."""

from dataclasses import dataclass

_HEIGHT = 36
_FLOOR = 8
_STEP = 17
_LEFT = 2
_BASE = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar in a drawing 118 wide and 44 high."""

    x: int
    y: int
    height: int
    is_marked: bool


def spark_bars(values: list[int]) -> list[Bar]:
    """A bar for each value, the highest filling the drawing; nothing is a short quiet bar."""
    most = max(values, default=0)
    heights = [
        _FLOOR + round((_HEIGHT - _FLOOR) * value / most) if value else _FLOOR for value in values
    ]
    return [
        Bar(x=_LEFT + _STEP * number, y=_BASE - height, height=height, is_marked=value > 0)
        for number, (value, height) in enumerate(zip(values, heights, strict=True))
    ]
