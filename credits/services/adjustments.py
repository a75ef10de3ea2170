"""Corrections by hand: one person asks, and above that person's limit another approves."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from credits import ledger
from credits.errors import LedgerError
from credits.models import AdjustBatch, AdjustRequest
from zone.core.clock import database_now

GOOD_FOR = timedelta(hours=24)
Status = AdjustRequest.Status


class AdjustmentDecided(LedgerError):
    code = "adjustment_decided"
    sentence = _("This adjustment was decided already, or is older than a day.")


class SecondPersonNeeded(LedgerError):
    code = "second_person_needed"
    sentence = _("This is above your limit: another person has to approve it.")


class MayNotApprove(LedgerError):
    code = "may_not_approve"
    sentence = _("You may not approve the adjustments of others.")


def limit_of(operator: User) -> int:
    """The most this operator moves alone in 24 hours; being a superuser adds nothing."""
    limits: dict[str, int] = settings.ADJUST_LIMITS
    return max((limits.get(g.name, 0) for g in operator.groups.all()), default=0)


def ask_for_adjustment(request: AdjustRequest, *, maker: User) -> None:
    """A new request waits, good for 24 hours; no balance moves."""
    now = database_now()
    request.maker, request.created_at, request.expires_at = maker, now, now + GOOD_FOR
    request.save()


def apply_adjustment(*, request_id: int, operator: User) -> ledger.Result:
    """The balance is corrected, once: by its maker within the limit, by somebody else above it.

    Entry and request are one commit; of two at once the second is refused. Raises AdjustmentDecided,
    SecondPersonNeeded, MayNotApprove, and what `ledger.adjust` raises.
    """
    with transaction.atomic():
        # Whoever applies alone is counted against a limit: one at a time.
        User.objects.select_for_update(no_key=True).get(pk=operator.pk)
        request = _take(request_id)
        now = database_now()
        if request.maker_id == operator.pk:
            limit = limit_of(operator)
            if moved_alone(operator, since=now - GOOD_FOR) + abs(request.amount) > limit:
                raise SecondPersonNeeded
            request.limit_used = limit
        elif operator.has_perm("credits.approve_adjustrequest"):
            request.checker = operator
        else:
            raise MayNotApprove
        result = ledger.adjust(
            member_id=request.member_id,
            op_id=request.op_id,
            amount=request.amount,
            reason=request.reason,
            related=f"adj_{request.pk}",
        )
        request.status, request.decided_at = Status.APPLIED, now
        request.save(update_fields=["status", "decided_at", "checker", "limit_used"])
    return result


def refuse_adjustment(*, request_id: int) -> None:
    """A waiting request never moves anything. Raises AdjustmentDecided."""
    with transaction.atomic():
        request = _take(request_id)
        request.status, request.decided_at = Status.REFUSED, database_now()
        request.save(update_fields=["status", "decided_at"])


def _take(request_id: int) -> AdjustRequest:
    request = AdjustRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.status != Status.WAITING or request.expires_at <= database_now():
        raise AdjustmentDecided
    return request


def moved_alone(operator: User, since: object) -> int:
    """What they moved without a second person, one by one and by file, both directions."""
    alone = AdjustRequest.objects.filter(
        maker=operator, checker=None, status=Status.APPLIED, decided_at__gt=since
    )
    files = AdjustBatch.objects.filter(
        maker=operator, checker=None, decided_at__gt=since, status__in=["running", "done"]
    )
    return sum(abs(amount) for amount in alone.values_list("amount", flat=True)) + sum(
        given + taken for given, taken in files.values_list("given", "taken")
    )
