"""Bindings: one door for news about them, whoever brings it, and the sweeps that keep them true."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from zone.core import vault
from zone.core.errors import Unavailable
from zone.core.nudge import nudge
from zone.members.errors import MoveNotAllowed, StaleNews, WalletClosed
from zone.members.models import BindFailureReason, Binding, Member, Wallet
from zone.members.queries import find_open_binding
from zone.members.services import attempts
from zone.members.services.identities import find_member, find_user_id
from zone.members.wallets import connector_for
from zone.members.wallets.base import AgreementReport

logger = logging.getLogger(__name__)
Status = Binding.Status

_APPLE_PURPOSE = "apple-account"
BATCH_ROWS = 500
PENDING_MINUTES = 30
RECHECK_DAYS = 7
# After an unknown answer: ask again after so many seconds, then let the pending time run out.
QUERY_AFTER_SECONDS = (5, 30, 120, 600)
_ENDED = {Status.UNBOUND, Status.EXPIRED, Status.FAILED}
_MOVES: dict[str, set[str]] = {
    Status.PENDING: {Status.ACTIVE, Status.SUSPENDED, Status.UNBOUND, Status.FAILED},
    Status.ACTIVE: {Status.SUSPENDED, Status.UNBINDING, Status.UNBOUND, Status.EXPIRED},
    Status.SUSPENDED: {Status.ACTIVE, Status.UNBINDING, Status.UNBOUND, Status.EXPIRED},
    Status.UNBINDING: {Status.ACTIVE, Status.SUSPENDED, Status.UNBOUND, Status.EXPIRED},
}


def record_binding_status(
    *,
    binding: Binding,
    status: str,
    occurred_at: datetime,
    reason: str = "",
    agreement_reference: str = "",
    account_masked: str = "",
    valid_until: datetime | None = None,
    apple_account: str = "",
) -> Binding:
    """Apply news about a binding, if it is news.

    `occurred_at` is the sender's time. Newer wins; at the same instant an end wins over
    everything else. What we already know is confirmed and changes nothing, so that every sender
    may repeat itself. An ended binding stays ended.

    Raises StaleNews, MoveNotAllowed.
    """
    with transaction.atomic():
        row = Binding.objects.select_for_update().get(pk=binding.pk)
        _refuse_stale(row, status, occurred_at, agreement_reference)
        if status != row.status and status not in _MOVES.get(row.status, set()):
            raise MoveNotAllowed(status=row.status, wanted=status)
        was_active = row.status == Status.ACTIVE
        row.status = status
        row.status_occurred_at = occurred_at
        row.agreement_reference = agreement_reference or row.agreement_reference
        row.account_masked = account_masked or row.account_masked
        row.valid_until = valid_until or row.valid_until
        if apple_account and row.apple_index is None:
            row.apple_index = vault.blind_index(_APPLE_PURPOSE, apple_account)
        _date_status(row, status, occurred_at, reason)
        row.save()
        if status == Status.ACTIVE and not was_active:
            attempts.note_success(binding=row, at=occurred_at)
        if status == Status.FAILED:
            attempts.note_failure(binding=row, reason=reason, at=occurred_at)
        for task in settings.BINDING_TASKS:
            nudge(task)
    return row


def _refuse_stale(
    row: Binding, status: str, occurred_at: datetime, agreement_reference: str
) -> None:
    if row.status in _ENDED:
        raise StaleNews
    another = row.agreement_reference and agreement_reference != row.agreement_reference
    if agreement_reference and another:
        raise StaleNews
    if row.status == Status.PENDING:
        return  # Its time is ours: the wallet has said nothing about it yet.
    if occurred_at < row.status_occurred_at:
        raise StaleNews
    if occurred_at == row.status_occurred_at and status not in {row.status, *_ENDED}:
        if row.status == Status.UNBINDING:
            return
        raise StaleNews


def _date_status(row: Binding, status: str, occurred_at: datetime, reason: str) -> None:
    if status == Status.ACTIVE:
        row.bound_at = row.bound_at or occurred_at
        row.failure_reason = ""
    if status == Status.FAILED:
        row.failure_reason = reason
    if status in {Status.UNBOUND, Status.EXPIRED}:
        row.unbound_at = occurred_at
    row.query_count = 0
    is_open = status in Binding.OPEN_STATUSES
    row.next_query_at = occurred_at + timedelta(days=RECHECK_DAYS) if is_open else None


def record_report(*, wallet: Wallet, report: AgreementReport) -> Binding | None:
    """Apply a wallet's word about an agreement, whether or not it began with us.

    A person may bind from Apple's own settings, so an agreement we never heard of becomes a
    binding of its own, and ends an older one that the wallet no longer speaks of. The end of an
    unknown agreement is kept as well, so that a late message about its start has no effect.

    None when the wallet's user is not a member, or the report is no news. Safe to repeat.
    """
    member = find_member(wallet_code=wallet.code, user_id=report.user_id)
    if member is None:
        return None
    with transaction.atomic():
        # One report of a member at a time. Their other rows may still point here meanwhile.
        Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        binding = _find_binding(member, report) or _adopt(member, report)
        if binding is None:
            return None
        try:
            return record_binding_status(
                binding=binding,
                status=report.status,
                occurred_at=report.occurred_at,
                agreement_reference=report.agreement_reference,
                account_masked=report.account_masked,
                valid_until=report.valid_until,
                apple_account=report.apple_account,
            )
        except (StaleNews, MoveNotAllowed):
            return None


def _find_binding(member: Member, report: AgreementReport) -> Binding | None:
    """The binding a report is about: by the wallet's number, by ours, or the one that waits."""
    if known := member.bindings.filter(agreement_reference=report.agreement_reference).first():
        return known
    waiting = member.bindings.filter(status=Status.PENDING, agreement_reference__isnull=True)
    if report.external_reference:
        return waiting.filter(public_id=report.external_reference).first()
    return None if report.status in _ENDED else waiting.first()


def _adopt(member: Member, report: AgreementReport) -> Binding | None:
    """A row for an agreement that did not begin with us; None when there is no place for it."""
    if Binding.objects.filter(agreement_reference=report.agreement_reference).exists():
        return None  # Another member's number: the wallet contradicts itself.
    if report.status in _ENDED:
        Binding.objects.create(
            member=member,
            storefront=member.storefront,
            agreement_reference=report.agreement_reference,
            account_masked=report.account_masked,
            status=report.status,
            status_occurred_at=report.occurred_at,
            unbound_at=report.occurred_at,
        )
        return None
    standing = find_open_binding(member)
    if standing and not _give_way(standing, report):
        return None
    return Binding.objects.create(
        member=member, storefront=member.storefront, status_occurred_at=report.occurred_at
    )


def _give_way(standing: Binding, report: AgreementReport) -> bool:
    """End the open binding in favour of a newer agreement. False when it is the newer one."""
    is_waiting = standing.status == Status.PENDING
    if not is_waiting and standing.status_occurred_at >= report.occurred_at:
        return False
    record_binding_status(
        binding=standing,
        status=Status.FAILED if is_waiting else Status.UNBOUND,
        occurred_at=report.occurred_at,
        reason=BindFailureReason.UNKNOWN if is_waiting else "",
    )
    return True


def receive_news(*, wallet: Wallet, params: dict[str, str]) -> Binding | None:
    """A wallet's notification about an agreement. Safe to repeat.

    Raises WalletReturnRefused when the wallet did not sign it.
    """
    report = connector_for(wallet).read_news(wallet_code=wallet.code, params=params)
    return record_report(wallet=wallet, report=report)


def ask_wallet(*, binding: Binding, now: datetime) -> Binding | None:
    """Ask the wallet about an agreement and apply its word; when to ask again is written first.

    An open binding whose agreement the wallet no longer knows has ended.
    """
    asked = Binding.objects.filter(pk=binding.pk, next_query_at=binding.next_query_at).update(
        next_query_at=_next_query_at(binding, now), query_count=F("query_count") + 1
    )
    user_id = find_user_id(binding.member)
    if not asked or user_id is None:
        return None
    wallet = binding.member.wallet
    report = connector_for(wallet).fetch_agreement(
        wallet_code=wallet.code,
        user_id=user_id,
        agreement_reference=binding.agreement_reference or "",
    )
    if report is not None:
        return record_report(wallet=wallet, report=report)
    if binding.status == Status.PENDING or not binding.agreement_reference:
        return None  # Not signed yet, or known from a list without the wallet's number.
    return record_binding_status(binding=binding, status=Status.UNBOUND, occurred_at=now)


def _next_query_at(binding: Binding, now: datetime) -> datetime | None:
    if binding.status != Status.PENDING:
        return now + timedelta(days=RECHECK_DAYS)
    if binding.query_count + 1 < len(QUERY_AFTER_SECONDS):
        return now + timedelta(seconds=QUERY_AFTER_SECONDS[binding.query_count + 1])
    return None


def ask_wallet_about_due(*, now: datetime, limit: int = 200) -> int:
    """Ask about every binding whose time has come. Returns how many were asked about."""
    due = Binding.objects.filter(next_query_at__lte=now, status__in=Binding.OPEN_STATUSES)
    asked = 0
    for binding in due.select_related("member__wallet").order_by("next_query_at")[:limit]:
        try:
            ask_wallet(binding=binding, now=now)
        except (Unavailable, WalletClosed, StaleNews, MoveNotAllowed) as error:
            logger.warning(
                "no word on a binding", extra={"binding": binding.public_id, "why": error.code}
            )
        asked += 1
    return asked


def adopt_agreement(*, member: Member, user_id: str, now: datetime) -> None:
    """At sign-in: somebody who bound the wallet before we knew them is bound here too.

    The wallet being away costs nothing but a later look.
    """
    if find_open_binding(member):
        return
    try:
        report = connector_for(member.wallet).fetch_agreement(
            wallet_code=member.wallet_id, user_id=user_id
        )
    except (Unavailable, WalletClosed):
        return
    if report is not None and report.status not in _ENDED:
        record_report(wallet=member.wallet, report=report)


def close_overdue_bindings(now: datetime) -> int:
    """Fail what has been pending for 30 minutes, and expire what ran past its validity."""
    closed = 0
    pending = Binding.objects.filter(
        status=Status.PENDING, created_at__lte=now - timedelta(minutes=PENDING_MINUTES)
    )
    for binding in pending.order_by("created_at")[:BATCH_ROWS]:
        closed += _close(binding, Status.FAILED, now, reason=BindFailureReason.UNKNOWN)
    lapsed = Binding.objects.filter(
        status__in=[Status.ACTIVE, Status.SUSPENDED], valid_until__lte=now
    )
    for binding in lapsed.order_by("valid_until")[:BATCH_ROWS]:
        closed += _close(binding, Status.EXPIRED, max(now, binding.status_occurred_at))
    return closed


def _close(binding: Binding, status: str, at: datetime, reason: str = "") -> int:
    try:
        record_binding_status(binding=binding, status=status, occurred_at=at, reason=reason)
    except (StaleNews, MoveNotAllowed):
        return 0  # The wallet's word came first.
    return 1
