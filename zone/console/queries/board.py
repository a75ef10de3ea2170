"""The numbers on the console's first page, each with the list that it counts.

A figure is a count of exactly the rows its link shows. Figures are read together and kept half a
minute, so a busy morning of operators costs the database one reading; the page says how old it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Greatest, TruncDate
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from benefits.models import Alarm, Benefit, Claim, Release, SlotCounter
from benefits.queries.pools import open_pools, read_pools
from credits.models import Account
from credits.queries.liability import count_outstanding
from zone.console.scopes import in_scope, list_wallet_codes
from zone.core import clock
from zone.core.models import StuckRow
from zone.members.models import Binding, Member, Wallet

KEPT_FOR = 30  # seconds
CHART_DAYS = 30
ENDING_WITHIN = timedelta(days=7)
LOW_STOCK_PERCENT = 10


@dataclass(frozen=True)
class Figure:
    """One number. `permission` says who may see it, `link` leads to the rows behind it."""

    label: str
    value: int
    link: str
    permission: str
    tone: str = ""


@dataclass(frozen=True)
class StockLine:
    """An open release that is nearly out, with the page it is raised on."""

    name: str
    left: int
    stock: int
    link: str


@dataclass(frozen=True)
class PoolLine:
    """A pool of codes that runs dry soonest, or whose codes end unsold."""

    name: str
    left: int
    percent: float
    per_day: float
    days_left: float | None
    unsold: int
    link: str

    @property
    def hours_left(self) -> int:
        """Hours begun until it is dry, for a pool that does not last a day."""
        return ceil((self.days_left or 0) * 24)


@dataclass(frozen=True)
class EndingLine:
    name: str
    ends_at: datetime
    link: str


@dataclass(frozen=True)
class Board:
    as_of: datetime
    time_zone: str
    figures: list[Figure]
    days: list[tuple[date, int]]
    low_stock: list[StockLine]
    pools: list[PoolLine]
    ending: list[EndingLine]


def get_board(user: User) -> Board:
    """The board as this operator's wallets have it, at most half a minute old."""
    codes = list_wallet_codes(user)
    whose = "all" if codes is None else ",".join(codes)
    key = f"console-board:{get_language()}:{whose}"  # Its figures are called by name.
    board: Board | None = cache.get(key)
    if board is None:
        board = read_board(user)
        cache.set(key, board, KEPT_FOR)
    return board


def read_board(user: User) -> Board:
    """The board as it is now."""
    now = clock.now()
    wallet = in_scope(Wallet.objects.filter(is_open=True), user).first()
    zone = ZoneInfo(wallet.time_zone if wallet else "UTC")
    today = _start_of_day(now.astimezone(zone).date(), zone)
    return Board(
        as_of=now,
        time_zone=str(zone),
        figures=_figures(user, today, now),
        days=_claims_by_day(user, zone, now),
        low_stock=_low_stock(user, now),
        pools=_pools(user, now),
        ending=_ending(user, now),
    )


def _figures(user: User, today: datetime, now: datetime) -> list[Figure]:
    count: Callable[[QuerySet[Any]], int] = lambda rows: in_scope(rows, user).count()  # noqa: E731
    claims, day_ago = Claim.objects.all(), now - timedelta(days=1)
    waiting = count(claims.filter(state="reserved"))
    alarms = count(Alarm.objects.filter(settled_at=None))
    failed = count(claims.filter(state="failed", ended_at__gte=day_ago))
    stuck = count(StuckRow.objects.all())
    return [
        _figure(_("Members"), count(Member.objects.all()), Member),
        _figure(
            _("Bound"),
            count(Binding.objects.filter(status="active")),
            Binding,
            {"status__exact": "active"},
        ),
        _figure(
            _("Claims today"),
            count(claims.filter(created_at__gte=today)),
            Claim,
            {"created_at__gte": _in_address(today)},
        ),
        _figure(
            _("Grants waiting"),
            waiting,
            Claim,
            {"state__exact": "reserved"},
            tone="warn" if waiting else "",
        ),
        _figure(
            _("Failed in 24 hours"),
            failed,
            Claim,
            {"state__exact": "failed", "ended_at__gte": _in_address(day_ago)},
            tone="bad" if failed else "",
        ),
        _figure(
            _("To look at"),
            alarms,
            Alarm,
            {"settled_at__isempty": "1"},
            tone="bad" if alarms else "",
        ),
        _figure(_("Stuck"), stuck, StuckRow, tone="bad" if stuck else ""),
        _figure(_("Units left"), _units_left(user, now), Release),
        _figure(_("Credits outstanding"), _credits_outstanding(user), Account),
    ]


def _credits_outstanding(user: User) -> int:
    """What members may still spend, held credits included: the programme's promise."""
    return count_outstanding(list_wallet_codes(user))


def _figure(
    label: str, value: int, model: type[Any], query: dict[str, str] | None = None, tone: str = ""
) -> Figure:
    meta = model._meta
    return Figure(
        label=label,
        value=value,
        link=_list_page(model, query),
        permission=f"{meta.app_label}.view_{meta.model_name}",
        tone=tone,
    )


def _open_counters(user: User, now: datetime) -> QuerySet[SlotCounter]:
    counters = SlotCounter.objects.all()
    if list_wallet_codes(user) is not None:
        counters = counters.filter(release__in=in_scope(Release.objects.all(), user))
    return counters.filter(
        Q(release__closes_at__isnull=True) | Q(release__closes_at__gt=now),
        release__opens_at__lte=now,
        release__benefit__status__in=Benefit.SHOWN_STATUSES,
    )


_LEFT = Greatest(F("end_slot") - F("next_slot") + 1, 0)


def _units_left(user: User, now: datetime) -> int:
    total = _open_counters(user, now).aggregate(left=Sum(_LEFT))["left"]
    return int(total or 0)


def _low_stock(user: User, now: datetime) -> list[StockLine]:
    rows: Any = (
        _open_counters(user, now)
        .values("release_id", "release__stock", "release__benefit__slug")
        .annotate(units=Sum(_LEFT))
        .filter(units__lt=F("release__stock") * LOW_STOCK_PERCENT / 100)
        .order_by("units")[:8]
    )
    return [
        StockLine(
            name=row["release__benefit__slug"],
            left=row["units"],
            stock=row["release__stock"],
            link=_change_page(Release, row["release_id"]),
        )
        for row in rows
    ]


def _pools(user: User, now: datetime) -> list[PoolLine]:
    """The pools that are dry first, by the forecast the watch uses as well."""
    pools = read_pools(in_scope(open_pools(now=now), user), now=now)
    pools.sort(key=lambda pool: (pool.days_left is None, pool.days_left or 0, pool.percent))
    return [
        PoolLine(
            name=pool.release.benefit.slug,
            left=pool.left,
            percent=pool.percent,
            per_day=pool.per_day,
            days_left=pool.days_left,
            unsold=pool.unsold,
            link=_change_page(Release, pool.release.pk),
        )
        for pool in pools[:8]
    ]


def _ending(user: User, now: datetime) -> list[EndingLine]:
    rows = (
        in_scope(Release.objects.all(), user)
        .filter(
            closes_at__gt=now,
            closes_at__lte=now + ENDING_WITHIN,
            schedule__isnull=True,  # A daily drop ends every day; that is no news.
            benefit__status__in=Benefit.SHOWN_STATUSES,
        )
        .select_related("benefit")
    )
    return [
        EndingLine(row.benefit.slug, row.closes_at, _change_page(Release, row.pk))
        for row in rows.order_by("closes_at")[:8]
        if row.closes_at is not None
    ]


def _claims_by_day(user: User, zone: ZoneInfo, now: datetime) -> list[tuple[date, int]]:
    last = now.astimezone(zone).date()
    first = last - timedelta(days=CHART_DAYS - 1)
    rows = (
        in_scope(Claim.objects.filter(created_at__gte=_start_of_day(first, zone)), user)
        .annotate(day=TruncDate("created_at", tzinfo=zone))
        .values("day")
        .annotate(count=Count("id"))
        .order_by("day")
    )
    counts = {row["day"]: row["count"] for row in rows}
    days = [first + timedelta(days=number) for number in range(CHART_DAYS)]
    return [(day, counts.get(day, 0)) for day in days]


def day_link(day: date, zone_name: str) -> str:
    """The list of one day's claims, in the board's own zone."""
    zone = ZoneInfo(zone_name)
    query = {
        "created_at__gte": _in_address(_start_of_day(day, zone)),
        "created_at__lt": _in_address(_start_of_day(day + timedelta(days=1), zone)),
    }
    return _list_page(Claim, query)


def _start_of_day(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _in_address(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")


def _list_page(model: type[Any], query: dict[str, str] | None = None) -> str:
    meta = model._meta
    if not admin.site.is_registered(model):
        return ""
    page = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{page}?{urlencode(query)}" if query else page


def _change_page(model: type[Any], key: Any) -> str:
    meta = model._meta
    if not admin.site.is_registered(model):
        return ""
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[key])
