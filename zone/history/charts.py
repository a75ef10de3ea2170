"""The month chart as numbers for an SVG: the server draws, the page only places."""

from dataclasses import dataclass
from datetime import date

from zone.history.queries.spending import MonthSpending

WIDTH, TOP, FLOOR = 320, 18, 120
_STEP, _BAR, _LEFT = 54, 30, 10
_BAR_LEAST = 4  # a month with little still shows
_GAP = 2  # between the parts of the stacked bar


@dataclass(frozen=True, slots=True)
class Bar:
    month: date
    paid: int
    x: int
    y: int
    height: int
    middle: int
    is_chosen: bool

    @property
    def corner(self) -> int:
        return min(8, self.height // 2)

    @property
    def query(self) -> str:
        """The address of the month."""
        return f"month={self.month:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the stacked bar, in the colour of its legend."""

    kind: str
    colour: int
    value: int
    # As SVG wants them, whatever the language writes for a decimal point.
    x_text: str
    width_text: str


@dataclass(frozen=True, slots=True)
class SpendingChart:
    currency: str
    bars: list[Bar]
    parts: list[Part]
    chosen: MonthSpending
    before: MonthSpending | None
    difference: int
    is_empty: bool

    @property
    def difference_size(self) -> int:
        return abs(self.difference)


def spending_chart(months: list[MonthSpending], chosen: date, currency: str) -> SpendingChart:
    """Six bars on one scale, the chosen month marked, and its parts as one stacked bar."""
    most = max((month.paid for month in months), default=0)
    bars = []
    for number, month in enumerate(months):
        height = round((FLOOR - TOP) * month.paid / most) if most else 0
        height = max(height, _BAR_LEAST) if month.paid else 0
        x = _LEFT + number * _STEP
        bars.append(
            Bar(month.month, month.paid, x, FLOOR - height, height, x + _BAR // 2,
                month.month == chosen)
        )  # fmt: skip
    marked = next((month for month in months if month.month == chosen), MonthSpending(chosen))
    place = months.index(marked) if marked in months else 0
    before = months[place - 1] if place else None
    return SpendingChart(
        currency=currency,
        bars=bars,
        parts=_parts(marked),
        chosen=marked,
        before=before,
        difference=marked.paid - before.paid if before else 0,
        is_empty=most == 0,
    )


def _parts(month: MonthSpending) -> list[Part]:
    values = [("subscriptions", 1, month.subscriptions), ("apps", 2, month.apps),
              ("other", 3, month.other)]  # fmt: skip
    shown = [(kind, colour, value) for kind, colour, value in values if value]
    room = WIDTH - _GAP * max(0, len(shown) - 1)
    parts: list[Part] = []
    x = 0.0
    for kind, colour, value in shown:
        width = round(room * value / month.paid, 1)
        parts.append(Part(kind, colour, value, f"{x:.1f}", f"{width:.1f}"))
        x += width + _GAP
    return parts
