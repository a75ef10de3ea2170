"""Codes beside the sale: kept until a pool runs low or a code must be replaced, or set aside.

A batch that is kept is loaded, checked and sealed like any other; its slots are in no counter, so
no claim can take them. Opening it moves them all on sale, or one of them into a replacement.
"""

from datetime import datetime

from django.db import connection, transaction

from benefits.errors import BatchNotSetAside
from benefits.models import Alarm, CodeBatch, Release, SlotCounter
from benefits.queries.pools import read_pools
from benefits.services import pools
from benefits.services.alarms import raise_alarm, settle_alarms_of
from benefits.services.stock import append_ranges, record_stock

KeptFor = CodeBatch.KeptFor


def open_refill(*, release: Release, actor: str, now: datetime) -> CodeBatch | None:
    """Put the kept batch that ends first on sale, as a whole, while the pool is below its line.

    None when it is not, or there is none to open.
    """
    with transaction.atomic():
        locked = Release.objects.select_for_update(no_key=True).get(pk=release.pk)
        # Whoever was first may have filled it while this one waited for the row.
        (pool,) = read_pools(Release.objects.filter(pk=release.pk), now=now)
        if pool.percent >= locked.refill_percent:
            return None
        batch = _find_kept(locked, KeptFor.REFILL, now=now)
        if batch is None:
            return None
        batch.kept_for = KeptFor.NOTHING
        batch.save(update_fields=["kept_for"])
        pools.publish_codes(release=locked, actor=actor, now=now, cause="refill")
    return batch


def take_kept_slot(*, release_id: int, kinds: tuple[str, ...], now: datetime) -> int | None:
    """One slot out of a kept batch, for a replacement, in the caller's transaction.

    It becomes stock that is taken at once; None when nothing is kept for that.
    """
    locked = Release.objects.select_for_update(no_key=True).get(pk=release_id)
    for kind in kinds:
        batch = _find_kept(locked, kind, now=now)
        if batch is None:
            continue
        slots = batch.codes.filter(slot__gt=batch.published_slot).order_by("slot")
        slot: int = slots.values_list("slot", flat=True)[0]
        was = locked.stock
        locked.stock += 1
        locked.last_slot = max(locked.last_slot, slot)
        locked.save(update_fields=["stock", "last_slot"])
        # A range of one, used up already: it says how long the slot may be sold if it returns.
        SlotCounter.objects.create(
            release=locked,
            number=locked.counters.count(),
            next_slot=slot + 1,
            end_slot=slot,
            sells_until=pools.sells_until(batch),
        )
        batch.published_slot = slot
        batch.save(update_fields=["published_slot"])
        record_stock(locked, actor="worker", now=now, was=was, cause="reserve")
        return slot
    return None


def _find_kept(release: Release, kind: str, *, now: datetime) -> CodeBatch | None:
    """The kept batch with codes left that ends first, among those that may still be sold."""
    batches = release.code_batches.filter(kept_for=kind, key_sealed__isnull=False)
    left = [
        batch
        for batch in batches
        if batch.codes.filter(slot__gt=batch.published_slot).exists()
        and ((ends := pools.sells_until(batch)) is None or ends > now)
    ]
    return min(
        left, key=lambda batch: (batch.expires_on is None, batch.expires_on, batch.pk), default=None
    )


def set_aside(*, batch: CodeBatch, actor: str, now: datetime, why: str) -> int:
    """Take every code of a batch that nobody has yet off sale; how many. Safe to repeat.

    Claims that hold one keep it. An operator looks, and puts the batch back or makes it unreadable.
    """
    with transaction.atomic():
        release = Release.objects.select_for_update(no_key=True).get(pk=batch.release_id)
        locked = CodeBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if locked.set_aside_at is not None:
            return 0
        count = _take_off_sale(release, locked)
        locked.set_aside_at = now
        locked.save(update_fields=["set_aside_at"])
        was = release.stock
        release.stock -= count
        release.save(update_fields=["stock"])
        record_stock(release, actor=actor, now=now, was=was, cause="set_aside")
        raise_alarm(Alarm.Kind.BATCH_ASIDE, batch.public_id, why=why, codes=count)
    return count


def _take_off_sale(release: Release, batch: CodeBatch) -> int:
    """Shorten the ranges that hold the batch's codes, and forget those that came back."""
    count = 0
    with connection.cursor() as cursor:
        # A range never crosses a batch: codes are published batch by batch.
        cursor.execute(
            """
            WITH ours AS MATERIALIZED (
                SELECT counter.id, counter.end_slot - counter.next_slot + 1 AS units
                FROM benefits_slotcounter counter
                WHERE counter.release_id = %s AND counter.next_slot <= counter.end_slot
                  AND EXISTS (SELECT 1 FROM benefits_code code
                              WHERE code.release_id = counter.release_id
                                AND code.slot = counter.end_slot AND code.batch_id = %s)
                FOR UPDATE OF counter
            )
            UPDATE benefits_slotcounter counter SET end_slot = counter.next_slot - 1
            FROM ours WHERE counter.id = ours.id RETURNING ours.units
            """,
            [release.pk, batch.pk],
        )
        count += sum(int(units) for (units,) in cursor.fetchall())
        cursor.execute(
            """
            DELETE FROM benefits_returnedslot returned USING benefits_code code
            WHERE returned.release_id = %s AND code.release_id = returned.release_id
              AND code.slot = returned.slot AND code.batch_id = %s
              AND returned.offered_to_id IS NULL
            """,
            [release.pk, batch.pk],
        )
        return count + int(cursor.rowcount)


def put_back(*, batch: CodeBatch, actor: str, now: datetime) -> int:
    """What was set aside is on sale again, whatever nobody holds; how many codes.

    Raises BatchNotSetAside.
    """
    with transaction.atomic():
        release = Release.objects.select_for_update(no_key=True).get(pk=batch.release_id)
        locked = CodeBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if locked.set_aside_at is None or not locked.key_sealed:
            raise BatchNotSetAside()
        locked.set_aside_at = None
        locked.save(update_fields=["set_aside_at"])
        was = release.stock
        for first, last in _free_runs(locked):
            append_ranges(
                release=release, first=first, last=last, sells_until=pools.sells_until(locked)
            )
        record_stock(release, actor=actor, now=now, was=was, cause="put_back")
        settle_alarms_of(Alarm.Kind.BATCH_ASIDE, batch.public_id)
    return release.stock - was


def _free_runs(batch: CodeBatch) -> list[tuple[int, int]]:
    """Runs of published slots of a batch that are in no claim, no range and not returned."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(slot), max(slot) FROM (
                SELECT code.slot, code.slot - row_number() OVER (ORDER BY code.slot) AS island
                FROM benefits_code code
                WHERE code.batch_id = %s AND code.slot <= %s
                  AND NOT EXISTS (SELECT 1 FROM benefits_claim claim
                                  WHERE claim.release_id = code.release_id
                                    AND claim.slot = code.slot AND claim.holds_slot)
                  AND NOT EXISTS (SELECT 1 FROM benefits_returnedslot returned
                                  WHERE returned.release_id = code.release_id
                                    AND returned.slot = code.slot)
                  AND NOT EXISTS (SELECT 1 FROM benefits_slotcounter counter
                                  WHERE counter.release_id = code.release_id
                                    AND code.slot BETWEEN counter.next_slot AND counter.end_slot)
            ) run GROUP BY island ORDER BY 1
            """,
            [batch.pk, batch.published_slot],
        )
        return [(int(first), int(last)) for first, last in cursor.fetchall()]
