"""Greeting whoever signed in for the first time."""

from django.db import transaction

from zone.core import clock
from zone.members.models import Member
from zone.notices.services import write_notice

BATCH_ROWS = 200


def welcome_arrivals(limit: int = BATCH_ROWS) -> int:
    """Every arrival nobody greeted has a welcome notice, written in the commit that says so.

    Safe to repeat and to run twice at once: rows taken by another worker are left to it. Returns
    how many were greeted.
    """
    with transaction.atomic():
        arrivals = list(
            Member.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(first_signed_in_at__isnull=False, welcomed_at__isnull=True)
            .order_by("first_signed_in_at")[:limit]
        )
        for member in arrivals:
            write_notice(
                member_id=member.pk,
                kind="welcome",
                facts={},
                link="/benefits",
                dedupe_key="welcome",
                at=member.first_signed_in_at,
            )
        Member.objects.filter(pk__in=[member.pk for member in arrivals]).update(
            welcomed_at=clock.now()
        )
    return len(arrivals)
