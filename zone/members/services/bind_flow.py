"""The member's own way to a binding and out of it."""

from datetime import datetime, timedelta

from django.db import transaction

from zone.members.errors import AlreadyBound, NotBound, UnbindingRefused, WalletSaidNo
from zone.members.models import BindFailureReason, Binding, BindingAttempt, Member, WalletVisit
from zone.members.queries import find_open_binding
from zone.members.services import attempts, visits
from zone.members.services.bindings import (
    QUERY_AFTER_SECONDS,
    record_binding_status,
    record_report,
)
from zone.members.services.identities import belongs_to, find_user_id
from zone.members.wallets import connector_for
from zone.members.wallets.base import Departure

Status = Binding.Status


def start_binding(
    *,
    member: Member,
    attempt: BindingAttempt,
    browser_key: str,
    return_to: str,
    language: str,
    now: datetime,
) -> str:
    """The wallet's address at which the member agrees to be debited by Apple.

    A pending binding waits for the wallet's word; one that waits already is used again, so that
    coming back resumes at the same step. Raises AlreadyBound, WalletClosed.
    """
    connector = connector_for(member.wallet)
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        binding = find_open_binding(member)
        if binding and binding.status != Status.PENDING:
            raise AlreadyBound
        if binding is None:
            binding = Binding.objects.create(
                member=member, storefront=member.wallet.storefront, status_occurred_at=now
            )
        BindingAttempt.objects.filter(pk=attempt.pk).update(binding=binding)
        attempts.note_step(attempt, attempts.LEFT_FOR_WALLET, now, {"binding": binding.public_id})
        state = visits.begin_visit(
            wallet=member.wallet,
            purpose=WalletVisit.Purpose.BIND,
            browser_key=browser_key,
            now=now,
            member=member,
            binding=binding,
        )
    return connector.start(
        Departure(
            wallet_code=member.wallet_id,
            purpose=WalletVisit.Purpose.BIND.value,
            state=state,
            return_to=return_to,
            language=language,
            external_reference=binding.public_id,
        )
    )


def finish_binding(
    *, member: Member, params: dict[str, str], browser_key: str, now: datetime
) -> Binding:
    """Use up a return from the wallet's agreement page, once.

    After a yes the wallet itself is asked: a return in a browser is not proof. While it does not
    know yet, the binding stays pending and is asked about again. After a no the binding has
    failed with a reason and the next try is a new row.

    Raises WalletReturnExpired, WalletReturnRefused, WalletUnavailable, WalletSaidNo.
    """
    returned = visits.read_return(
        params=params, purpose=WalletVisit.Purpose.BIND, browser_key=browser_key, now=now
    )
    visit, answer = returned.visit, returned.answer
    if visit.member_id != member.pk or visit.binding is None:
        raise visits.WalletReturnExpired
    visits.consume_visit(visit, now)
    binding = visit.binding
    attempt = attempts.find_open_attempt(member, now)
    if attempt:
        result = "agreed" if answer.is_agreed else answer.failure_reason
        attempts.note_step(attempt, attempts.RETURNED, now, {"resultStatus": result})
    if not answer.is_agreed:
        raise _failed(binding, answer.failure_reason, now)
    wallet = member.wallet
    connector = connector_for(wallet)
    identity = connector.fetch_identity(wallet_code=wallet.code, auth_code=answer.auth_code)
    if not belongs_to(member, identity.user_id):
        raise _failed(binding, BindFailureReason.IDENTITY_MISMATCH, now)
    report = connector.fetch_agreement(wallet_code=wallet.code, user_id=identity.user_id)
    if report is not None:
        record_report(wallet=wallet, report=report)
    else:
        Binding.objects.filter(pk=binding.pk, status=Status.PENDING).update(
            next_query_at=now + timedelta(seconds=QUERY_AFTER_SECONDS[0]), query_count=0
        )
    binding.refresh_from_db()
    return find_open_binding(member) or binding


def _failed(binding: Binding, reason: str, now: datetime) -> WalletSaidNo:
    """Close a pending binding with its reason; one that is active by now stays as it is."""
    binding.refresh_from_db()
    if binding.status == Status.PENDING:
        record_binding_status(binding=binding, status=Status.FAILED, occurred_at=now, reason=reason)
    return WalletSaidNo(reason=reason)


def cancel_binding(*, member: Member, now: datetime) -> None:
    """The member says "not now": the try is closed and nothing waits any more."""
    attempts.cancel_attempt(member=member, now=now)
    binding = find_open_binding(member)
    if binding and binding.status == Status.PENDING:
        record_binding_status(
            binding=binding,
            status=Status.FAILED,
            occurred_at=now,
            reason=BindFailureReason.USER_CANCELLED,
        )


def request_unbind(*, member: Member, now: datetime) -> Binding:
    """End the member's binding: the wallet asks Apple's side, then ends the agreement.

    The binding is `unbinding` while the wallet is asked, with no transaction open; a refusal puts
    it back, and when the wallet is away it stays so until the wallet is heard. Safe to repeat.

    Raises NotBound, UnbindingRefused, WalletUnavailable.
    """
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        binding = find_open_binding(member)
        if binding is None or binding.status == Status.PENDING:
            raise NotBound
        before = binding.status
        if before != Status.UNBINDING:
            binding.status = Status.UNBINDING
            # The wallet's last word keeps its time; this one is ours. Ask soon if it stays open.
            binding.next_query_at = now + timedelta(seconds=QUERY_AFTER_SECONDS[-1])
            binding.save(update_fields=["status", "next_query_at", "updated_at"])
    user_id = find_user_id(member) or ""
    try:
        report = connector_for(member.wallet).request_unbinding(
            wallet_code=member.wallet_id,
            user_id=user_id,
            agreement_reference=binding.agreement_reference or "",
        )
    except UnbindingRefused:
        back = before if before != Status.UNBINDING else Status.ACTIVE
        Binding.objects.filter(pk=binding.pk, status=Status.UNBINDING).update(
            status=back, updated_at=now
        )
        raise
    if report is None:  # The wallet has no agreement: there is nothing left to end.
        record_binding_status(binding=binding, status=Status.UNBOUND, occurred_at=now)
    else:
        record_binding_status(
            binding=binding,
            status=report.status,
            occurred_at=report.occurred_at,
            agreement_reference=report.agreement_reference,
        )
    binding.refresh_from_db()
    return binding
