"""Telling members what ends soon: 30 days, 7 days and 1 day before, once each."""

from datetime import date

from django.db import connection, transaction

from credits.models import ExpiryRound
from credits.queries import expiry_of
from zone.core.clock import database_now
from zone.notices.services import write_notice

STEPS_DAYS = (1, 7, 30)
MEMBERS_PER_COMMIT = 500

# What each of the next members still has in the buckets of that month; nothing when it is spent.
_LEFT = """
    SELECT d.member_id, coalesce(sum(u.amount), 0)::int
    FROM (
        SELECT member_id, month FROM ledger.lot_due
        WHERE zone = %s AND month = %s AND member_id > %s ORDER BY member_id LIMIT %s
    ) d
    LEFT JOIN ledger.account a ON a.member_id = d.member_id
    LEFT JOIN LATERAL unnest(a.bucket_keys, a.bucket_left) u (key, amount) ON u.key / 2 = d.month
    GROUP BY d.member_id ORDER BY d.member_id
"""


def remind_of_expiry(limit: int = MEMBERS_PER_COMMIT) -> int:
    """The next members of a due round have their notice; says how many were looked at.

    Amount and day are one for all buckets of the month. Who has spent them is told nothing. Notices
    and the round's progress are one commit, so it is safe to kill, to repeat and to run twice at
    once; after a pause only the nearest step is told. Call until it returns 0.
    """
    _open_due_rounds()
    with transaction.atomic():
        current = (
            ExpiryRound.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(finished_at=None)
            .order_by("days_before", "pk")
            .first()
        )
        if current is None:
            return 0
        now = database_now()
        with connection.cursor() as cursor:
            cursor.execute(_LEFT, [current.zone, current.month, current.last_member_id, limit])
            members = cursor.fetchall()
        ends_on = expiry_of(current.month * 2).isoformat()
        for member_id, amount in members:
            if amount:
                write_notice(
                    member_id=member_id,
                    kind="credits_expiring",
                    facts={"amount": amount, "expires_on": ends_on},
                    link="/credits",
                    dedupe_key=f"credits_expiring:{ends_on}:{current.days_before}",
                    at=now,
                )
        if members:
            current.last_member_id = members[-1][0]
        if len(members) < limit:
            current.finished_at = now
        current.save(update_fields=["last_member_id", "finished_at"])
    return max(1, len(members))


def _open_due_rounds() -> None:
    """One round for each market and month end that has come within a step; older ones are over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT zone, ledger.today(zone) FROM ledger.zone_day")
        markets = cursor.fetchall()
    for zone, today in markets:
        this_month = (today.year - 2000) * 12 + today.month - 1
        for month in (this_month, this_month + 1):
            step = _step_of(month, today)
            if step is None:
                continue
            _round, is_new = ExpiryRound.objects.get_or_create(
                zone=zone, month=month, days_before=step
            )
            if is_new:
                ExpiryRound.objects.filter(
                    zone=zone, month=month, days_before__gt=step, finished_at=None
                ).update(finished_at=database_now())
        ExpiryRound.objects.filter(zone=zone, month__lt=this_month, finished_at=None).update(
            finished_at=database_now()
        )


def _step_of(month: int, today: date) -> int | None:
    """The nearest step that a month's end has come within; None while it is further away."""
    days_left = (expiry_of(month * 2) - today).days
    return next((step for step in STEPS_DAYS if days_left <= step), None)
