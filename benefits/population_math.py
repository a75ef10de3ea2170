"""Figures of a sample, carried over to everybody: shares with their bounds, and what they cost."""

from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

_Z = 1.96  # Bounds that hold nineteen times in twenty.


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of members: counted in the sample, likely in all, and between which bounds."""

    counted: int
    likely: int
    least: int
    most: int


def estimate(counted: int, examined: int, population: int) -> Estimate:
    """Wilson's score interval (E. B. Wilson 1927, JASA 22), with the finite population's correction.

    When everybody was examined the figure is exact.
    """
    if not examined:
        return Estimate(counted, 0, 0, population)
    if examined >= population:
        return Estimate(counted, counted, counted, counted)
    share = counted / examined
    # What is left unexamined shrinks the spread: sampling without replacement.
    z = _Z * sqrt((population - examined) / max(population - 1, 1))
    middle = (share + z * z / (2 * examined)) / (1 + z * z / examined)
    spread = (
        z
        * sqrt(share * (1 - share) / examined + z * z / (4 * examined * examined))
        / (1 + z * z / examined)
    )
    return Estimate(
        counted=counted,
        likely=round(share * population),
        # Those counted are there, whatever the interval says.
        least=max(int((middle - spread) * population), counted),
        most=min(int((middle + spread) * population) + 1, population - (examined - counted)),
    )


@dataclass(frozen=True, slots=True)
class Supply:
    """What stands behind a benefit: units left (None: no release), cost of one, budget left."""

    units_left: int | None
    per_member: int
    unit_cost: int
    currency: str
    budget_left: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect of a rule: claims at the rate of the last days, and the cost at most."""

    claims: Estimate | None  # None: nobody claimed it yet, so there is no rate to go by.
    cost_likely: int | None
    cost_most: int | None
    sold_out_in_hours: int | None


def outlook(
    *, eligible: Estimate, claims_seen: int, eligible_before: int, supply: Supply, days: int
) -> Outlook:
    """Claims of the next `days` days: members who will fit, times what those who fit now claimed.

    The bounds are those of the members times those of a Poisson count. Nothing is claimed past the
    stock, and nothing is paid past the budget.
    """
    ceiling = eligible.most * supply.per_member
    if supply.units_left is not None:
        ceiling = min(ceiling, supply.units_left)
    if supply.budget_left is not None and supply.unit_cost:
        ceiling = min(ceiling, supply.budget_left // supply.unit_cost)
    cost_most = ceiling * supply.unit_cost if supply.currency else None
    if not claims_seen or not eligible_before:
        return Outlook(None, None, cost_most, None)
    wanted = [
        int(members * max(seen, 0.0) / eligible_before)
        for members, seen in (
            (eligible.likely, float(claims_seen)),
            (eligible.least, claims_seen - _Z * sqrt(claims_seen)),
            (eligible.most, claims_seen + _Z * sqrt(claims_seen)),
        )
    ]
    likely, least, most = (min(each, ceiling) for each in wanted)
    hours = None
    if supply.units_left is not None and wanted[0] > supply.units_left:
        hours = max(supply.units_left * days * 24 // wanted[0], 1)
    return Outlook(
        claims=Estimate(claims_seen, likely, least, most),
        cost_likely=likely * supply.unit_cost if supply.currency else None,
        cost_most=cost_most,
        sold_out_in_hours=hours,
    )


def as_json(value: Any) -> Any:
    return asdict(value)
