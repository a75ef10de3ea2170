"""How full the pools of codes are, how fast they empty, and which codes end before they are sold.

The identity of a pool is `POOL_COLUMNS` of `verify_life`, one query for one moment. The forecast
plays the claim function's own order forward: codes that leave the sale first go first.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q, QuerySet

from benefits.models import Benefit, PoolSample, Release
from benefits.models.release import Fulfilment
from benefits.verify_life import POOL_COLUMNS

# Long enough to smooth a weekend, short enough to notice a campaign.
PACE_DAYS = 7
PACE_HOURS_MIN = 1
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Group:
    """Units on sale that leave the sale together, and how many of them will not be sold by then."""

    ends_at: datetime | None
    units: int
    unsold: int


@dataclass(frozen=True, slots=True)
class Pool:
    """A release of codes as it stands. `per_day` is what it gives out; `days_left` may be unknown."""

    release: Release
    stock: int
    left: int
    given: int
    per_day: float
    days_left: float | None
    dry_at: datetime | None
    groups: list[Group] = field(default_factory=list)

    @property
    def percent(self) -> float:
        return 100 * self.left / self.stock if self.stock else 0.0

    @property
    def unsold(self) -> int:
        return sum(group.unsold for group in self.groups)


def forecast(
    supply: list[tuple[datetime | None, int]], per_day: float, *, now: datetime
) -> tuple[float | None, list[Group]]:
    """Days until a supply at this pace is used up, and what of it ends first unsold.

    `supply` is units by the instant they leave the sale. None for a pool that nobody draws from.
    """
    groups, day = [], 0.0
    for ends_at, units in sorted(supply, key=lambda part: (part[0] is None, part[0] or now)):
        sold = 0
        if per_day:
            room = units / per_day if ends_at is None else (ends_at - now) / DAY - day
            sold = min(units, int(max(room, 0.0) * per_day + 1e-9))
            day += sold / per_day
        groups.append(Group(ends_at, units, units - sold if ends_at is not None else 0))
    return (day if per_day else None), groups


def open_pools(*, now: datetime) -> QuerySet[Release]:
    """Releases of codes that members can claim from, now or later."""
    return Release.objects.filter(
        Q(closes_at__isnull=True) | Q(closes_at__gt=now),
        mode=Fulfilment.CODES,
        stock__gt=0,
        benefit__status__in=Benefit.SHOWN_STATUSES,
    ).select_related("benefit")


def read_pools(releases: QuerySet[Release], *, now: datetime) -> list[Pool]:
    """The pools of these releases: three queries for any number."""
    found = list(releases.order_by("pk"))
    ids = [release.pk for release in found]
    supplies, free = _supplies(ids, now=now)
    oldest = {
        sample.release_id: sample
        for sample in PoolSample.objects.filter(
            release_id__in=ids, at__gte=now - PACE_DAYS * DAY
        ).order_by("-at")
    }
    pools = []
    for release in found:
        supply = supplies.get(release.pk, [])
        given = max(release.stock - free.get(release.pk, 0), 0)
        per_day = _pace(release, given, oldest.get(release.pk), now=now)
        days_left, groups = forecast(supply, per_day, now=now)
        is_dated = days_left is not None and days_left < 10_000
        pools.append(
            Pool(
                release=release,
                stock=release.stock,
                left=sum(units for _, units in supply),
                given=given,
                per_day=per_day,
                days_left=days_left,
                dry_at=now + days_left * DAY if is_dated and days_left is not None else None,
                groups=groups,
            )
        )
    return pools


def _supplies(
    ids: list[int], *, now: datetime
) -> tuple[dict[int, list[tuple[datetime | None, int]]], dict[int, int]]:
    """Units to be had by the end of their sale, and every unit that is nobody's."""
    supplies: dict[int, list[tuple[datetime | None, int]]] = {}
    free: dict[int, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT release_id, sells_until, sum(units) FILTER (WHERE is_offered IS FALSE), sum(units)
            FROM (
                SELECT release_id, sells_until, end_slot - next_slot + 1 AS units,
                       false AS is_offered
                FROM benefits_slotcounter
                WHERE release_id = ANY(%s) AND next_slot <= end_slot
                UNION ALL
                SELECT release_id, sells_until, 1, offered_to_id IS NOT NULL
                FROM benefits_returnedslot WHERE release_id = ANY(%s)
            ) part
            GROUP BY release_id, sells_until
            """,
            [ids, ids],
        )
        for release_id, ends_at, units, all_units in cursor.fetchall():
            free[release_id] = free.get(release_id, 0) + int(all_units)
            if units and (ends_at is None or ends_at > now):
                supplies.setdefault(release_id, []).append((ends_at, int(units)))
    return supplies, free


def _pace(release: Release, given: int, sample: PoolSample | None, *, now: datetime) -> float:
    """Units a day over the last week, or since the release opened when it is younger."""
    if sample is not None and now - sample.at >= timedelta(hours=PACE_HOURS_MIN):
        since, before = sample.at, sample.given
    else:
        since, before = max(release.opens_at, release.created_at), 0
    elapsed = max(now - since, timedelta(hours=PACE_HOURS_MIN))
    return max(given - before, 0) / (elapsed / DAY)


@dataclass(frozen=True, slots=True)
class Ration:
    """What everybody together may still claim in this quarter, and when it is gone at this pace."""

    allowed: int
    left: int
    gone_at: datetime | None


def read_rations(pool: Pool, *, now: datetime) -> list[Ration]:
    """The quarterly limits of a pool's benefit that hold for everybody, such as Apple's own.

    A wallet's or a tier's share has a pace of its own, which the pool's says nothing about.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT quota.allowed, greatest(quota.allowed - coalesce(so_far.used, 0), 0),
                   benefits_window_end(quota.period, %s, quota.time_zone)
            FROM benefits_quota quota
            LEFT JOIN benefits_quotause so_far
              ON so_far.quota_id = quota.id AND so_far.holder = ''
             AND so_far."window" = benefits_window(quota.period, %s, quota.time_zone)
            WHERE quota.benefit_id = %s AND quota.is_active AND quota.holder = 'all'
              AND quota.wallet_id IS NULL AND quota.tier = ''
              AND quota.period = 'quarter'
              AND (quota.release_id IS NULL OR quota.release_id = %s)
            ORDER BY quota.id
            """,
            [now, now, pool.release.benefit_id, pool.release.pk],
        )
        rows = cursor.fetchall()
    rations = []
    for allowed, left, ends_at in rows:
        lasts = (ends_at - now) / DAY * pool.per_day <= left
        gone_at = None if lasts else now + left / pool.per_day * DAY
        rations.append(Ration(int(allowed), int(left), gone_at))
    return rations


def read_identity(release: Release) -> dict[str, int]:
    """Where every code of a release is, by name, at one moment. Empty when it has no codes."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM ({POOL_COLUMNS}) pool WHERE release_id = %s",  # noqa: S608
            [release.pk],
        )
        names = [column[0] for column in cursor.description or ()]
        row = cursor.fetchone()
    if row is None:
        return {}
    places = dict(zip(names, row, strict=True))
    return {name: int(count) for name, count in places.items() if not name.endswith("_id")}
