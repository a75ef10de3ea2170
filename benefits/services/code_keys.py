"""New keys for codes at rest, and keys destroyed so that nobody can read what they sealed.

A batch of codes has a data key. Changing it takes three steps, and a process may die between any
two of them: a new key is put beside the old one, the codes are sealed anew in small commits, and
the old key is deleted once nothing needs it. The first byte of each code says which of the two
opens it, so codes are read throughout. The batch's own row is the record of how far it is.
"""

import logging
import time
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from benefits.errors import CodesInUse
from benefits.models import Alarm, BenefitEvent, Claim, Code, CodeBatch, CodeImport, ProviderConfig
from benefits.services import pools
from benefits.services.alarms import raise_alarm
from zone.core import vault
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.stuck import Attempts
from zone.core.vault import VaultError

RESEAL_ROWS = 1_000
DRAIN_SECONDS_MAX = 60
KEY_NUMBER_MAX = 255
# Claims whose owner may still need to see the code.
_LIVE_STATES = (Claim.State.RESERVED, Claim.State.GRANTED, Claim.State.REDEEMED)
log = logging.getLogger(__name__)


def start_rotation(*, batch: CodeBatch, actor: str, now: datetime) -> bool:
    """A new key for what comes, the old one kept for what is there. False when one is under way.

    False as well for a batch that was made unreadable.
    """
    with transaction.atomic():
        locked = CodeBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if not locked.key_sealed or locked.old_key_sealed:
            return False
        locked.old_key_sealed = bytes(locked.key_sealed)
        locked.key_sealed = pools.new_batch_key()[1]
        locked.key_horizon = None
        locked.key_number = locked.key_number % KEY_NUMBER_MAX + 1
        locked.save(update_fields=["key_sealed", "old_key_sealed", "key_number", "key_horizon"])
        _record(locked, cause="key_new", actor=actor, now=now)
    _note_horizon(batch)
    return True


def reseal_some(batch: CodeBatch, *, after: int) -> tuple[int, int]:
    """Seal some codes behind key `after` anew, in one commit: how many, and the last one's key.

    (0, after) when there are none left. Two processes at it do not hinder each other: a code that
    was sealed anew meanwhile is left out.
    """
    with transaction.atomic():
        batch = CodeBatch.objects.get(pk=batch.pk)
        if not batch.old_key_sealed or not batch.key_sealed:
            return 0, after
        codes = list(
            pools.codes_under_old_key(batch)
            .filter(pk__gt=after)
            .select_for_update(no_key=True)
            .order_by("pk")[:RESEAL_ROWS]
        )
        if not codes:
            return 0, after
        key, old_key = pools.open_batch_key(batch), pools.open_old_key(batch)
        sealed = []
        for code in codes:
            try:
                sealed.append(pools.reseal(code, old_key=old_key, key=key, number=batch.key_number))
            except VaultError:
                raise_alarm(Alarm.Kind.CODE_UNREADABLE, batch.public_id, slot=code.slot)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE benefits_code code SET sealed = given.sealed, redeem_url_sealed = given.url"
                " FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]) AS given (id, sealed, url)"
                " WHERE code.id = given.id",
                [list(column) for column in zip(*sealed, strict=True)] or [[], [], []],
            )
        failpoint("reseal_before_commit")
    return len(sealed), codes[-1].pk


def finish_rotation(*, batch: CodeBatch, actor: str, now: datetime) -> bool:
    """Delete the old key, when no code needs it and nobody can still be sealing with it.

    Whoever seals codes holds a row lock, and so has a number, before it reads the key. So whoever
    may have read the old one is numbered below the horizon, which was noted after the change was
    committed; once the oldest running transaction is not, nobody is left.
    False when it is too early, or a code does not open and an operator must look.
    """
    _note_horizon(batch)
    with transaction.atomic():
        locked = CodeBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if not locked.old_key_sealed:
            return False
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            if locked.key_horizon is None or cursor.fetchone()[0] < locked.key_horizon:
                return False
        if pools.codes_under_old_key(locked).exists():
            return False
        locked.old_key_sealed = None
        locked.key_horizon = None
        locked.save(update_fields=["old_key_sealed", "key_horizon"])
        _record(locked, cause="key_gone", actor=actor, now=now)
    return True


def _note_horizon(batch: CodeBatch) -> None:
    """Remember the first number that no transaction had yet, when the new key was there to read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE benefits_codebatch"
            " SET key_horizon = pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
            " WHERE id = %s AND key_horizon IS NULL AND old_key_sealed IS NOT NULL",
            [batch.pk],
        )


def drain_rotations() -> int:
    """Bring every rotation under way forward for up to a minute; how many codes were sealed anew."""
    until, done = time.monotonic() + DRAIN_SECONDS_MAX, 0
    attempts = Attempts("key_rotations")
    rotating = CodeBatch.objects.exclude(old_key_sealed=None).exclude(pk__in=attempts.left_out)
    for batch in rotating.order_by("pk"):
        with attempts.at(batch.pk):
            done += _rotate(batch, until=until)
    return done


def _rotate(batch: CodeBatch, *, until: float) -> int:
    """Seal a batch's codes anew until none is left or the time is over; how many."""
    after = done = 0
    while time.monotonic() < until:
        count, last = reseal_some(batch, after=after)
        done += count
        if last == after:
            finish_rotation(batch=batch, actor="worker", now=database_now())
            break
        after = last
    return done


def count_waiting(batch: CodeBatch) -> int:
    """Codes still under the old key."""
    return pools.codes_under_old_key(CodeBatch.objects.get(pk=batch.pk)).count()


def wrap_anew() -> int:
    """Everything of this room that an older key-encryption key wraps is wrapped by the newest.

    Codes are not touched, their keys are: seconds, whatever there is. Returns how many rows.
    """
    count = 0
    for model, fields, purpose in (
        (CodeBatch, ("key_sealed", "old_key_sealed"), pools.KEY_PURPOSE),
        (CodeImport, ("key_sealed",), "benefits-code-import"),
        (ProviderConfig, ("secret_sealed",), "benefits-provider-secret"),
    ):
        for pk in model.objects.values_list("pk", flat=True):
            with transaction.atomic():
                row: Any = model.objects.select_for_update(no_key=True).get(pk=pk)  # type: ignore[attr-defined]
                changed = [name for name in fields if _wrap_field(row, name, purpose)]
                if changed:
                    row.save(update_fields=changed)
                    count += 1
    return count


def _wrap_field(row: Any, name: str, purpose: str) -> bool:
    sealed = bytes(getattr(row, name) or b"")
    if not sealed or sealed[0] == vault.newest_version():
        return False
    setattr(row, name, vault.wrap(vault.unwrap(sealed, purpose=purpose), purpose=purpose))
    return True


def shred_batch(*, batch: CodeBatch, actor: str, now: datetime) -> None:
    """Destroy a batch's keys: none of its codes can be read again, by nobody. Not to be undone.

    Raises CodesInUse while codes of it are on sale or members hold them.
    """
    with transaction.atomic():
        locked = CodeBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        codes = Code.objects.filter(batch=locked)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT count(*) FROM benefits_code code
                WHERE code.batch_id = %s AND (
                    EXISTS (SELECT 1 FROM benefits_slotcounter counter
                            WHERE counter.release_id = code.release_id
                              AND code.slot BETWEEN counter.next_slot AND counter.end_slot)
                    OR EXISTS (SELECT 1 FROM benefits_returnedslot returned
                               WHERE returned.release_id = code.release_id
                                 AND returned.slot = code.slot)
                    OR EXISTS (SELECT 1 FROM benefits_claim claim
                               WHERE claim.release_id = code.release_id AND claim.slot = code.slot
                                 AND claim.holds_slot AND claim.state = ANY(%s))
                )
                """,
                [locked.pk, list(_LIVE_STATES)],
            )
            in_use = int(cursor.fetchone()[0])
        if in_use:
            raise CodesInUse(count=in_use)
        locked.key_sealed = locked.old_key_sealed = locked.key_horizon = None
        locked.shredded_at = now
        locked.save(update_fields=["key_sealed", "old_key_sealed", "key_horizon", "shredded_at"])
        codes.update(last_four="")
        _record(locked, cause="shred", actor=actor, now=now)


def shred_codes_of(*, member_id: int) -> int:
    """Destroy the codes that a member's ended claims hold; how many there were. Safe to repeat.

    The keyed index stays, so that a code can never be loaded again. Copies in older backups end
    with their batch's old key: rotate it afterwards.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE benefits_code code
            SET sealed = '', redeem_url_sealed = '', last_four = ''
            FROM benefits_claim claim
            WHERE claim.member_id = %s AND claim.release_id = code.release_id
              AND claim.slot = code.slot AND claim.holds_slot
              AND claim.state NOT IN ('reserved', 'granted') AND code.sealed <> ''
            """,
            [member_id],
        )
        return int(cursor.rowcount)


def _record(batch: CodeBatch, *, cause: str, actor: str, now: datetime) -> None:
    benefit = batch.release.benefit
    BenefitEvent.objects.create(
        benefit=benefit,
        at=now,
        actor=actor,
        cause=cause,
        from_status=benefit.status,
        to_status=benefit.status,
        facts={"batch": batch.public_id, "key": batch.key_number},
    )
