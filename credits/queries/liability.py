"""The programme's promise in numbers: what was issued, spent, expired and is left, and its cost.

Read from the months that `ledger.roll_flows` keeps, and from the journal's open tail: the work does
not grow with the history. A bucket has one funder (promotional or paid), so every credit of an entry
is its funder's by the entry's `alloc`. Credits that only made up for a debt were never in a bucket
and are in no column.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import connection

from credits.kinds import Funding, Kind
from credits.models import UnitCost
from credits.queries.journal import expiry_of
from zone.core.clock import database_now
from zone.members.models import Wallet

# One statement, so that the months and the tail are of one instant.
_FLOWS = """
    SELECT month, wallet, bucket, kind, sum(amount)::bigint
    FROM (
        SELECT month, wallet, bucket, kind, amount FROM ledger.month_flow
        UNION ALL
        SELECT month, wallet, bucket, kind, amount
        FROM ledger.flows((SELECT tx_hi FROM ledger.flow_mark), 9223372036854775807)
    ) flow
    GROUP BY month, wallet, bucket, kind
"""
# The same months and tail, down to what is left in members' buckets, lapsed ones included.
_LEFT = """
    SELECT coalesce(sum(amount), 0)::bigint
    FROM (
        SELECT wallet, amount FROM ledger.month_flow
        UNION ALL
        SELECT wallet, amount
        FROM ledger.flows((SELECT tx_hi FROM ledger.flow_mark), 9223372036854775807)
    ) flow
    WHERE %(wallets)s::text[] IS NULL OR wallet = ANY(%(wallets)s::text[])
"""
_SET_ASIDE = """
    SELECT coalesce(sum(h.amount), 0)::bigint
    FROM ledger.hold h JOIN public.members_member m ON m.id = h.member_id
    WHERE h.state = 0
      AND (%(wallets)s::text[] IS NULL OR m.wallet_id = ANY(%(wallets)s::text[]))
"""
_HELD = """
    SELECT m.wallet_id, h.alloc[i] %% 2, sum(h.alloc[i + 1])::bigint
    FROM ledger.hold h
    JOIN public.members_member m ON m.id = h.member_id
    CROSS JOIN LATERAL generate_series(1, cardinality(h.alloc), 2) i
    WHERE h.state = 0 GROUP BY 1, 2
"""
_COLUMN_OF = {
    Kind.EARN: "issued",
    Kind.ADJUST: "corrected",
    Kind.SPEND: "spent",
    Kind.HOLD: "spent",
    Kind.CAPTURE: "spent",
    Kind.RELEASE: "spent",
    Kind.REFUND: "spent",
    Kind.CLAWBACK: "taken_back",
    Kind.EXPIRE: "expired",
}


@dataclass(slots=True)
class MonthLine:
    """One month of one wallet and funder. Opening and the five changes add up to closing.

    `spent` counts what is set aside too, less what came back. `breakage` is the share of everything
    issued so far that has expired, in percent.
    """

    starts_on: date
    wallet: str
    currency: str
    funder: Funding
    opening: int = 0
    issued: int = 0
    corrected: int = 0
    spent: int = 0
    taken_back: int = 0
    expired: int = 0
    per_thousand: int | None = None
    breakage: Decimal | None = None

    @property
    def closing(self) -> int:
        return (
            self.opening
            + self.issued
            + self.corrected
            + self.spent
            + self.taken_back
            + self.expired
        )

    @property
    def cost(self) -> int | None:
        """What is left at the month's end, in minor units."""
        return cost_of(self.closing, self.per_thousand)


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What members of one wallet may still spend of one funder, by the day it ends."""

    wallet: str
    currency: str
    funder: Funding
    live: int
    held: int
    ending: list[tuple[date, int]]
    per_thousand: int | None

    @property
    def cost(self) -> int | None:
        """The liability: live credits at their unit cost, in minor units."""
        return cost_of(self.live, self.per_thousand)

    @property
    def held_cost(self) -> int | None:
        return cost_of(self.held, self.per_thousand)


@dataclass(frozen=True, slots=True)
class Liability:
    """`totals` are by currency, of the lines that have a unit cost; currencies are never added."""

    as_of: datetime
    outstanding: list[Outstanding]
    months: list[MonthLine]
    totals: dict[str, int] = field(default_factory=dict)


def cost_of(credits: int, per_thousand: int | None) -> int | None:
    """Minor units for so many credits, rounded half up; None where no unit cost is set."""
    return None if per_thousand is None else (credits * per_thousand + 500) // 1000


def read_liability(wallet_codes: Collection[str] | None = None) -> Liability:
    """The liability of live wallets, or of those named: four reads, none over the whole journal."""
    wallets = Wallet.objects.filter(livemode=True).in_bulk()
    chosen = {code for code in wallets if wallet_codes is None or code in wallet_codes}
    flows: dict[tuple[str, Funding], list[tuple[int, int, Kind, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_FLOWS)
        for month, code, bucket, kind, amount in cursor:
            if code in chosen:
                flows[code, Funding(bucket % 2)].append((month, bucket, Kind(kind), amount))
        cursor.execute(_HELD, [])
        held = {(code, Funding(funder)): amount for code, funder, amount in cursor}
        cursor.execute("SELECT name, ledger.today(zone) FROM ledger.zone_day")
        today_in: dict[str, date] = dict(cursor.fetchall())
    now = database_now()
    costs = _Costs(list(UnitCost.objects.all()))
    outstanding: list[Outstanding] = []
    months: list[MonthLine] = []
    for code, funder in sorted(flows):
        wallet = wallets[code]
        today = today_in.get(wallet.time_zone, now.date())
        months += _months(flows[code, funder], wallet, funder, costs, today)
        per_thousand = costs.find(funder, wallet.currency, today)
        outstanding.append(
            Outstanding(
                wallet=code,
                currency=wallet.currency,
                funder=funder,
                ending=(ending := _ending(flows[code, funder], today)),
                live=sum(amount for _day, amount in ending),
                held=held.get((code, funder), 0),
                per_thousand=per_thousand,
            )
        )
    totals: dict[str, int] = {}
    for line in outstanding:
        if line.cost is not None:
            totals[line.currency] = totals.get(line.currency, 0) + line.cost
    months.sort(key=lambda line: (-line.starts_on.toordinal(), line.wallet, line.funder))
    return Liability(as_of=now, outstanding=outstanding, months=months, totals=totals)


def count_outstanding(wallet_codes: Collection[str] | None = None) -> int:
    """What members of these wallets, or of all, may still spend or have set aside.

    The sum of all accounts, without reading them: from the months that a job keeps, the journal's
    tail since then, and the holds that are open.
    """
    wallets = {"wallets": None if wallet_codes is None else list(wallet_codes)}
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, wallets)
        left: int = cursor.fetchone()[0]
        cursor.execute(_SET_ASIDE, wallets)
        held: int = cursor.fetchone()[0]
    return left + held


class _Costs:
    """Unit costs by funder and currency, as they were on a day."""

    def __init__(self, rows: Sequence[UnitCost]) -> None:
        self.rows = sorted(rows, key=lambda row: row.starts_on)

    def find(self, funder: Funding, currency: str, day: date) -> int | None:
        found = [
            row.per_thousand
            for row in self.rows
            if (row.funder, row.currency) == (funder, currency) and row.starts_on <= day
        ]
        return found[-1] if found else None


def _months(
    flows: list[tuple[int, int, Kind, int]],
    wallet: Wallet,
    funder: Funding,
    costs: _Costs,
    today: date,
) -> list[MonthLine]:
    """One line for each month from the first that moved something to the current one."""
    by_month: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for month, _bucket, kind, amount in flows:
        by_month[month][_COLUMN_OF[kind]] += amount
    lines: list[MonthLine] = []
    left = issued = expired = 0
    last = max(max(by_month), _number_of(today))
    for month in range(min(by_month), last + 1):
        ends_on = expiry_of(month * 2)
        line = MonthLine(
            starts_on=ends_on.replace(day=1),
            wallet=wallet.code,
            currency=wallet.currency,
            funder=funder,
            opening=left,
            per_thousand=costs.find(funder, wallet.currency, min(ends_on, today)),
            **by_month.get(month, {}),  # type: ignore[arg-type]
        )
        left, issued, expired = line.closing, issued + line.issued, expired - line.expired
        if issued > 0:
            line.breakage = (Decimal(100 * expired) / issued).quantize(Decimal("0.01"))
        lines.append(line)
    return lines


def _ending(flows: list[tuple[int, int, Kind, int]], today: date) -> list[tuple[date, int]]:
    """What is left by the day it ends; lapsed buckets are no liability, settled or not."""
    left: dict[int, int] = defaultdict(int)
    for _month, bucket, _kind, amount in flows:
        left[bucket] += amount
    floor = _number_of(today) * 2
    return [(expiry_of(key), left[key]) for key in sorted(left) if key >= floor and left[key]]


def _number_of(day: date) -> int:
    return (day.year - 2000) * 12 + day.month - 1
