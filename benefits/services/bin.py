"""The bin: a draft goes out of sight, and comes back whole with its history for thirty days."""

from datetime import datetime, timedelta

from django.db import transaction

from benefits.errors import BinRefused
from benefits.models import Benefit, BenefitEvent

RESTORE_WITHIN = timedelta(days=30)


def bin_benefit(*, benefit: Benefit, actor: str, now: datetime, reason: str = "") -> Benefit:
    """A draft that nobody is to see any more. Nothing of it is lost. Raises BinRefused."""
    return _set(benefit, cause="bin", binned_at=now, actor=actor, now=now, reason=reason)


def restore_benefit(*, benefit: Benefit, actor: str, now: datetime) -> Benefit:
    """The draft as it was, with every event of its life. Raises BinRefused after thirty days."""
    if benefit.binned_at is None or now - benefit.binned_at >= RESTORE_WITHIN:
        raise BinRefused()
    return _set(benefit, cause="unbin", binned_at=None, actor=actor, now=now)


def _set(
    benefit: Benefit,
    *,
    cause: str,
    binned_at: datetime | None,
    actor: str,
    now: datetime,
    reason: str = "",
) -> Benefit:
    with transaction.atomic():
        moved = Benefit.objects.filter(
            pk=benefit.pk,
            status=Benefit.Status.DRAFT,
            binned_at__isnull=binned_at is not None,
        ).update(binned_at=binned_at, updated_at=now)
        if not moved:
            raise BinRefused()
        BenefitEvent.objects.create(
            benefit=benefit,
            at=now,
            actor=actor,
            cause=cause,
            from_status=Benefit.Status.DRAFT,
            to_status=Benefit.Status.DRAFT,
            facts={"reason": reason} if reason else {},
        )
    benefit.binned_at = binned_at
    return benefit
