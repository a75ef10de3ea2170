"""How much there is of a benefit: releases, their ranges of slots, and changing both safely."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from benefits import claim_sql
from benefits.errors import ClosedLoop, CodesMakeStock, StockChanged, StockInUse
from benefits.models import (
    Benefit,
    BenefitEvent,
    DropSchedule,
    ProviderConfig,
    Release,
    ReturnedSlot,
    SlotCounter,
)
from benefits.models.kinds import CREDIT_PACK
from benefits.models.release import Fulfilment
from zone.core.clock import database_now

# Below this one row is enough; above it, claims of one instant spread over this many.
SPREAD_STOCK_MIN = 160
RANGES_PER_RAISE = 16


def create_release(
    *,
    benefit: Benefit,
    mode: str,
    opens_at: datetime,
    actor: str,
    now: datetime,
    stock: int = 0,
    closes_at: datetime | None = None,
    provider: ProviderConfig | None = None,
    price_credits: int | None = None,
    per_member: int | None = None,
    schedule: DropSchedule | None = None,
    is_hot: bool = False,
) -> Release:
    """A new quantity of a benefit. Price and limit come from the benefit unless given.

    A release of codes starts empty: its stock is the codes loaded into it.
    Raises CodesMakeStock for a stock without codes, ClosedLoop for a credit pack with a price,
    IntegrityError when that day's drop exists.
    """
    if mode == Fulfilment.CODES and stock:
        raise CodesMakeStock()
    price = benefit.price_credits if price_credits is None else price_credits
    if price and benefit.kind == CREDIT_PACK:
        raise ClosedLoop()
    with transaction.atomic():
        release = Release.objects.create(
            benefit=benefit,
            mode=mode,
            provider=provider,
            schedule=schedule,
            drop_on=_local_day(opens_at, schedule) if schedule else None,
            price_credits=price,
            per_member=benefit.per_member if per_member is None else per_member,
            opens_at=opens_at,
            closes_at=closes_at,
            livemode=benefit.livemode,
            is_hot=is_hot,
        )
        if stock:
            append_ranges(release=release, first=1, last=stock)
        record_stock(release, actor=actor, now=now, was=0, cause="release")
    return release


def change_stock(
    *, release: Release, expected: int, target: int, actor: str, now: datetime
) -> Release:
    """Set a release's stock from the `expected` figure to `target`.

    Raising adds ranges of new slots. Lowering cuts slots nobody has taken, the last ones first.
    Of two operators with the same expectation one is refused and nothing of theirs is done.

    Raises StockChanged with the current figure, StockInUse with the lowest possible one,
    CodesMakeStock when a release of codes is to be raised without codes.
    """
    with transaction.atomic():
        locked = Release.objects.select_for_update(no_key=True).get(pk=release.pk)
        if locked.stock != expected:
            raise StockChanged(current=locked.stock)
        if target > expected:
            if locked.mode == Fulfilment.CODES:
                raise CodesMakeStock()
            append_ranges(
                release=locked,
                first=locked.last_slot + 1,
                last=locked.last_slot + target - expected,
            )
        elif target < expected:
            _cut_slots(locked, count=expected - target)
        record_stock(locked, actor=actor, now=now, was=expected, cause="stock")
    return locked


def append_ranges(
    *, release: Release, first: int, last: int, sells_until: datetime | None = None
) -> None:
    """Put slots `first` to `last` on sale. The caller's transaction holds the release's row.

    Whoever waits in line comes first: as many slots as people wait become offers.
    """
    release.stock += last - first + 1
    release.last_slot = max(release.last_slot, last)
    release.save(update_fields=["stock", "last_slot"])
    first += claim_sql.hold_for_line(
        release_id=release.pk, first=first, last=last, sells_until=sells_until, now=database_now()
    )
    count = last - first + 1
    if not count:
        return
    ranges = RANGES_PER_RAISE if count >= SPREAD_STOCK_MIN else 1
    number = release.counters.count()
    bounds = [first + count * part // ranges for part in range(ranges + 1)]
    SlotCounter.objects.bulk_create(
        SlotCounter(
            release=release,
            number=number + part,
            next_slot=bounds[part],
            end_slot=bounds[part + 1] - 1,
            sells_until=sells_until,
        )
        for part in range(ranges)
    )


def _cut_slots(release: Release, *, count: int) -> None:
    """Take `count` untaken slots off sale: from the ends of the ranges, then returned ones."""
    # Locking every range stops claims of this release for the blink that the sums must agree.
    counters = list(release.counters.select_for_update(no_key=True).order_by("id"))
    returned = list(
        ReturnedSlot.objects.select_for_update().filter(release=release, offered_to=None)
    )
    free = sum(counter.left for counter in counters) + len(returned)
    if free < count:
        raise StockInUse(least=release.stock - free)
    release.stock -= count
    release.save(update_fields=["stock"])
    for counter in reversed(counters):
        part = min(counter.left, count)
        if part:
            counter.end_slot -= part
            counter.save(update_fields=["end_slot"])
            count -= part
    if count:
        ReturnedSlot.objects.filter(pk__in=[slot.pk for slot in returned[:count]]).delete()


def record_stock(release: Release, *, actor: str, now: datetime, was: int, cause: str) -> None:
    """The event that says who changed how much there is."""
    status = Benefit.objects.values_list("status", flat=True).get(pk=release.benefit_id)
    BenefitEvent.objects.create(
        benefit_id=release.benefit_id,
        at=now,
        actor=actor,
        cause=cause,
        from_status=status,
        to_status=status,
        facts={"release": release.public_id, "was": was, "is": release.stock},
    )


def _local_day(opens_at: datetime, schedule: DropSchedule) -> date:
    return opens_at.astimezone(ZoneInfo(schedule.time_zone)).date()
