"""Watching pools of codes: a level that is passed calls an operator once, not every minute."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from benefits.models import Alarm, PoolSample, PoolWarning, Release
from benefits.queries.pools import DAY, Pool, open_pools, read_pools
from benefits.services.alarms import raise_alarm, settle_alarms_of
from benefits.services.code_reserve import open_refill
from benefits.services.partner_news import tell_partners
from zone.core.clock import database_now
from zone.core.stuck import Attempts

LOW_PERCENTS = (50, 20, 10)
ENDING_DAYS = (30, 14, 7)
# A pool that hovers about a level is not news twice: it must rise this far above it first.
RISE_PERCENT = 5
# Partners read stock as a word; it turns to "few" here.
PARTNER_PERCENT = 10
SAMPLES_KEPT_FOR = timedelta(days=35)
Kind = PoolWarning.Kind
log = logging.getLogger(__name__)


def watch_pools() -> int:
    """Look at every open pool of codes; how many warnings are new. Safe to run twice at once."""
    now = database_now()
    count = 0
    attempts = Attempts("pools")
    for pool in read_pools(open_pools(now=now).exclude(pk__in=attempts.left_out), now=now):
        with attempts.at(pool.release.pk):
            refilled = _refill(pool, now=now)
            with transaction.atomic():
                _sample(refilled, now=now)
                count += _warn_low(refilled, now=now) + _warn_ending(refilled, now=now)
    PoolSample.objects.filter(at__lt=now - SAMPLES_KEPT_FOR).delete()
    return count


def _refill(pool: Pool, *, now: datetime) -> Pool:
    """Open kept batches while the pool is below its own line; the pool as it is afterwards."""
    rows = Release.objects.filter(pk=pool.release.pk).select_related("benefit")
    while pool.percent < pool.release.refill_percent:
        batch = open_refill(release=pool.release, actor="worker", now=now)
        if batch is None:
            break
        log.info("a kept batch is on sale", extra={"batch": batch.public_id})
        (pool,) = read_pools(rows, now=now)
    return pool


def _sample(pool: Pool, *, now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    PoolSample.objects.bulk_create(
        [PoolSample(release=pool.release, at=hour, given=pool.given)], ignore_conflicts=True
    )


def _warn_low(pool: Pool, *, now: datetime) -> int:
    """New levels that the pool has sunk to; levels it rose above again are over."""
    warnings = PoolWarning.objects.filter(release=pool.release, kind=Kind.LOW, cleared_at=None)
    warnings.filter(level__lte=pool.percent - RISE_PERCENT).update(cleared_at=now)
    reached = [level for level in LOW_PERCENTS if pool.percent <= level]
    facts = {
        "left": pool.left,
        "stock": pool.stock,
        "per_day": round(pool.per_day, 1),
        "days_left": None if pool.days_left is None else round(pool.days_left, 1),
    }
    new = [level for level in reached if _open(pool, Kind.LOW, level, None, facts, now=now)]
    if new:
        raise_alarm(Alarm.Kind.POOL_LOW, pool.release.public_id, level=min(new), **facts)
        if min(new) <= PARTNER_PERCENT:
            tell_partners(pool.release.benefit, what="stock_low", now=now)
    elif not reached and not warnings.exists():
        settle_alarms_of(Alarm.Kind.POOL_LOW, pool.release.public_id)
    return len(new)


def _warn_ending(pool: Pool, *, now: datetime) -> int:
    """Codes that leave the sale soon, more of them than will be given out until then."""
    ending = {group.ends_at: group for group in pool.groups if group.ends_at and group.unsold}
    warnings = PoolWarning.objects.filter(release=pool.release, kind=Kind.ENDING, cleared_at=None)
    warnings.exclude(ends_at__in=list(ending)).update(cleared_at=now)
    count = 0
    for ends_at, group in ending.items():
        facts = {"unsold": group.unsold, "units": group.units, "ends_at": ends_at.isoformat()}
        new = [
            level
            for level in ENDING_DAYS
            if ends_at - now <= level * DAY
            and _open(pool, Kind.ENDING, level, ends_at, facts, now=now)
        ]
        if new:
            raise_alarm(Alarm.Kind.POOL_ENDING, pool.release.public_id, level=min(new), **facts)
        count += len(new)
    if not warnings.exists():
        settle_alarms_of(Alarm.Kind.POOL_ENDING, pool.release.public_id)
    return count


def _open(
    pool: Pool,
    kind: str,
    level: int,
    ends_at: datetime | None,
    facts: dict[str, Any],
    *,
    now: datetime,
) -> bool:
    """Whether this warning is new. The constraint decides between two workers."""
    return PoolWarning.objects.get_or_create(
        release=pool.release,
        kind=kind,
        level=level,
        ends_at=ends_at,
        cleared_at=None,
        defaults={"facts": facts, "at": now},
    )[1]
