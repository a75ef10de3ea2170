"""Forgetting what has had its time: tokens, answers, windows, events, deliveries, endpoints."""

from django.db import connection

ROWS_PER_COMMIT = 5000

# Each statement deletes at most one batch; what is wanted is in its own words.
_SWEEPS = {
    "partners_accesstoken": "expires_at < zone_now() - interval '1 day'",
    "partners_idempotencyrecord": "expires_at < zone_now()",
    "partners_ratewindow": "started_at < zone_now() - interval '1 hour'",
    # Before the events they are of.
    "partners_webhookdelivery": "occurred_at < zone_now() - interval '30 days'",
    "partners_event": (
        "occurred_at < zone_now() - interval '30 days' AND NOT EXISTS"
        " (SELECT FROM partners_webhookdelivery WHERE event_id = partners_event.id)"
    ),
    "partners_webhookendpoint": (
        "deleted_at < zone_now() - interval '30 days' AND NOT EXISTS"
        " (SELECT FROM partners_webhookdelivery WHERE endpoint_id = partners_webhookendpoint.id)"
    ),
}


def sweep_records() -> dict[str, int]:
    """Delete what nobody can ask for any more; how many rows of each table went.

    Safe to repeat and to run twice at once: rows another sweep holds are left to it.
    """
    return {table: _sweep(table, where) for table, where in _SWEEPS.items()}


def _sweep(table: str, where: str) -> int:
    gone = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                f"""
                WITH batch AS MATERIALIZED (
                    SELECT id FROM {table} WHERE {where}
                    LIMIT {ROWS_PER_COMMIT} FOR UPDATE SKIP LOCKED
                )
                DELETE FROM {table} WHERE id IN (SELECT id FROM batch)
                """  # noqa: S608 - names and conditions are the constants above
            )
            gone += cursor.rowcount
            if cursor.rowcount < ROWS_PER_COMMIT:
                return gone
