"""One key is one attempt: its effect and its answer are one commit, and final once written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection, transaction

from zone.core import vault
from zone.core.errors import ZoneError
from zone.partners.errors import IdempotencyInProgress, IdempotencyKeyReused
from zone.partners.models import Partner

KEPT_FOR = timedelta(hours=72)
# How long anything inside the transaction may wait for somebody else's lock.
LOCK_WAIT = "2s"
_PURPOSE = "idempotency"
_LOCK_NOT_AVAILABLE = "55P03"
# Serialisation failure, deadlock, server going down: the same attempt may simply run again.
_WORTH_ANOTHER_TRY = {"40001", "40P01", "57P01"}


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as bytes, so that a replay is equal to the letter."""

    status: int
    content_type: str
    body: bytes
    is_replayed: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One use of an Idempotency-Key: who, under which key, and for what request."""

    partner: Partner
    livemode: bool
    key: str
    fingerprint: bytes
    carries_secret: bool = False

    @property
    def name(self) -> str:
        """The attempt in one string: purpose of its seal and of its lock."""
        return f"{_PURPOSE}:{self.partner.pk}:{self.livemode}:{self.key}"


def fingerprint(
    *, method: str, path: str, query: Sequence[tuple[str, str]] | Mapping[str, str], body: Any
) -> bytes:
    """A keyed hash of the request: equal exactly when method, path, query and body are.

    The body counts in a canonical form: sorted member names, no spaces.
    """
    pairs = sorted(query.items() if isinstance(query, Mapping) else query)
    canonical = json.dumps([method, path, pairs, body], sort_keys=True, separators=(",", ":"))
    return vault.blind_index("idempotency-fingerprint", canonical)


def run_once(
    attempt: Attempt,
    effect: Callable[[], StoredAnswer],
    render_refusal: Callable[[ZoneError], StoredAnswer],
) -> StoredAnswer:
    """Run `effect` for the first use of a key; give every later use the first answer.

    The record is inserted first, in the transaction of the effect, so both are there or neither.
    The effect runs inside a savepoint: a business refusal (409) undoes it and is itself stored,
    so a late duplicate cannot turn a "no" into a "yes". Any other refusal or fault leaves nothing,
    and the same key may be sent again.

    Raises IdempotencyInProgress without waiting while the first use still runs,
    IdempotencyKeyReused for another request, and whatever `effect` raises.
    """
    try:
        return _run_in_transaction(attempt, effect, render_refusal)
    except OperationalError as error:
        if _sqlstate(error) not in _WORTH_ANOTHER_TRY or connection.in_atomic_block:
            raise
        # Safe even when the commit's own answer was lost: the record then replays it.
        connection.close_if_unusable_or_obsolete()
        return _run_in_transaction(attempt, effect, render_refusal)


def _run_in_transaction(
    attempt: Attempt,
    effect: Callable[[], StoredAnswer],
    render_refusal: Callable[[ZoneError], StoredAnswer],
) -> StoredAnswer:
    with transaction.atomic():
        record_id = _insert_first(attempt)
        if record_id is None:
            return _read_stored(attempt)
        try:
            with transaction.atomic():
                answer = effect()
        except ZoneError as refusal:
            if refusal.http_status != 409 or isinstance(refusal, IdempotencyInProgress):
                raise
            answer = render_refusal(refusal)
        _store(attempt, record_id, answer)
        return answer


def _insert_first(attempt: Attempt) -> int | None:
    """The new record's key, or None when there is a finished one.

    The advisory lock is what makes a duplicate answer "in progress" at once instead of queueing
    on the row and holding a connection; the unique constraint is what makes the promise. A
    record past its 72 hours gives way in the same statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, true), pg_try_advisory_xact_lock(%s)",
            [LOCK_WAIT, _lock_number(attempt)],
        )
        if not cursor.fetchone()[1]:
            raise IdempotencyInProgress
        try:
            cursor.execute(
                """
                INSERT INTO partners_idempotencyrecord AS record
                       (partner_id, livemode, key, fingerprint, content_type, body, is_sealed,
                        created_at, expires_at)
                VALUES (%s, %s, %s, %s, '', '', false, zone_now(), zone_now() + %s)
                ON CONFLICT ON CONSTRAINT partners_idempotencyrecord_once DO UPDATE
                   SET fingerprint = excluded.fingerprint, status = NULL, body = '',
                       created_at = excluded.created_at, expires_at = excluded.expires_at
                 WHERE record.expires_at <= zone_now()
                RETURNING id
                """,
                [attempt.partner.pk, attempt.livemode, attempt.key, attempt.fingerprint, KEPT_FOR],
            )
        except OperationalError as error:
            if _sqlstate(error) == _LOCK_NOT_AVAILABLE:
                raise IdempotencyInProgress from error
            raise
        row = cursor.fetchone()
    return row[0] if row else None


def _read_stored(attempt: Attempt) -> StoredAnswer:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT fingerprint, status, content_type, body, is_sealed
              FROM partners_idempotencyrecord
             WHERE partner_id = %s AND livemode = %s AND key = %s
            """,
            [attempt.partner.pk, attempt.livemode, attempt.key],
        )
        row = cursor.fetchone()
    if row is None or row[1] is None:
        raise IdempotencyInProgress
    stored_fingerprint, status, content_type, body, is_sealed = row
    if bytes(stored_fingerprint) != attempt.fingerprint:
        raise IdempotencyKeyReused
    plain = vault.unwrap(body, purpose=attempt.name) if is_sealed else bytes(body)
    return StoredAnswer(status, content_type, plain, is_replayed=True)


def _store(attempt: Attempt, record_id: int, answer: StoredAnswer) -> None:
    is_sealed = attempt.carries_secret and answer.status < 300
    body = vault.wrap(answer.body, purpose=attempt.name) if is_sealed else answer.body
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE partners_idempotencyrecord
               SET status = %s, content_type = %s, body = %s, is_sealed = %s
             WHERE id = %s
            """,
            [answer.status, answer.content_type, body, is_sealed, record_id],
        )


def _lock_number(attempt: Attempt) -> int:
    index = vault.blind_index("idempotency-lock", attempt.name)
    return int.from_bytes(index[:8], "big", signed=True)


def _sqlstate(error: OperationalError) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
