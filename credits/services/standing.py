"""Accounts that stand still: frozen by an operator, kept while a member is not linked, closed."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from credits import errors, ledger
from credits.kinds import AccountStatus, Counter
from credits.models import Freeze, KeptAccount
from credits.promises import cancel_pending
from credits.queries import get_balance
from credits.queries.pending import list_pending
from credits.services.apple_accounts import give_link_up, take_link
from credits.services.events import Event, earn_for, is_decided
from credits.services.tiers import mark_tiers_due
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.core.stuck import Attempts, together_or_alone
from zone.members.models import Binding, Member
from zone.members.queries import has_active_binding
from zone.members.services.settling import mark_settled, take_unsettled_bindings
from zone.members.services.standing import set_frozen
from zone.notices.services import write_notice

BINDINGS_PER_COMMIT = 200
WARN_DAYS = 30
RETRY_AFTER = timedelta(days=1)
_UNLINKED = "unlinked"


class AlreadyFrozen(errors.LedgerError):
    code = "already_frozen"
    sentence = _("This member is frozen already.")


class NotFrozen(errors.LedgerError):
    code = "not_frozen"
    sentence = _("This member is not frozen.")


def freeze_member(freeze: Freeze, *, operator: User) -> None:
    """From this commit on the member reads and does nothing else; purchases still earn.

    `freeze` brings member, reason and note. Raises AlreadyFrozen.
    """
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=freeze.member_id)
        if Freeze.objects.filter(member_id=freeze.member_id, thawed_at=None).exists():
            raise AlreadyFrozen
        freeze.frozen_by, freeze.frozen_at = operator, database_now()
        freeze.save()
        set_frozen(member_id=freeze.member_id, at=freeze.frozen_at)
        _freeze_account(freeze.member_id, reason=freeze.reason, actor=_name_of(operator))


def thaw_member(*, freeze_id: int, note: str, operator: User) -> None:
    """The member goes on where they stood. Raises NotFrozen."""
    with transaction.atomic():
        freeze = Freeze.objects.select_for_update(no_key=True).get(pk=freeze_id)
        if freeze.thawed_at is not None:
            raise NotFrozen
        freeze.thaw_note, freeze.thawed_by, freeze.thawed_at = note, operator, database_now()
        freeze.save(update_fields=["thaw_note", "thawed_by", "thawed_at"])
        set_frozen(member_id=freeze.member_id, at=None)
        _thaw_account(freeze.member_id, reason="thawed", actor=_name_of(operator))


def _name_of(operator: User) -> str:
    return f"operator:{operator.get_username()}"


def _freeze_account(member_id: int, *, reason: str, actor: str) -> None:
    if get_balance(member_id).status == AccountStatus.OPEN:
        ledger.freeze(member_id=member_id, reason=reason, actor=actor)


def _thaw_account(member_id: int, *, reason: str, actor: str) -> None:
    """Open again, unless something else still holds it."""
    is_held = (
        Freeze.objects.filter(member_id=member_id, thawed_at=None).exists()
        or KeptAccount.objects.filter(member_id=member_id, restored_at=None).exists()
    )
    if not is_held and get_balance(member_id).status == AccountStatus.FROZEN:
        ledger.thaw(member_id=member_id, reason=reason, actor=actor)


def settle_bindings(*, limit: int = BINDINGS_PER_COMMIT) -> int:
    """Freeze the credits of those whose link ended, and give them back to those who linked again.

    Safe to repeat, to race and to kill: a binding is marked in the commit that acts on it. Says
    how many were looked at.
    """
    return together_or_alone(
        "bindings",
        take=take_unsettled_bindings,
        do=_settle,
        key=lambda binding: binding.pk,
        limit=limit,
    )


def _settle(bindings: list[Binding]) -> None:
    now = database_now()
    # Rising members, as every batch takes them: two batches cannot deadlock.
    for binding in sorted(bindings, key=lambda each: (each.member_id, each.pk)):
        member = Member.objects.select_for_update(no_key=True).get(pk=binding.member_id)
        if binding.status == Binding.Status.ACTIVE:
            _restore(member, now)
            _thank_for_linking(member, binding)
        elif not _is_linked(member):
            _keep(member, binding.unbound_at or now, now)
    mark_settled(bindings)


def _thank_for_linking(member: Member, binding: Binding) -> None:
    """The first link of a member gives what the rules say; later ones give nothing.

    Nor does one whose Apple account another member was thanked for.
    """
    if binding.bound_at is None:
        return
    event = Event(member=member, kind="binding", source="first", at=binding.bound_at)
    index = bytes(binding.apple_index) if binding.apple_index is not None else None
    if is_decided(event) or not take_link(member.pk, index, at=binding.bound_at):
        return
    if earn_for([event]):
        mark_tiers_due([member.pk])
    else:
        give_link_up(member.pk, index)


def _is_linked(member: Member) -> bool:
    """Whether another binding stands by now; one that the wallet paused is still a binding."""
    standing = {Binding.Status.ACTIVE, Binding.Status.SUSPENDED, Binding.Status.UNBINDING}
    return Binding.objects.filter(member=member, status__in=standing).exists()


def _keep(member: Member, unlinked_at: datetime, now: datetime) -> None:
    balance = get_balance(member)
    is_kept = KeptAccount.objects.filter(member=member, restored_at=None).exists()
    if is_kept or member.status == Member.Status.ERASED:
        return
    if balance.status == AccountStatus.CLOSED:
        return
    # Whoever unlinked long before we kept count is given time all the same.
    closes_at = max(
        unlinked_at + timedelta(days=settings.CREDITS_KEPT_DAYS), now + timedelta(days=WARN_DAYS)
    )
    kept = KeptAccount.objects.create(
        member=member,
        unlinked_at=unlinked_at,
        closes_at=closes_at,
        available=balance.available,
        next_attempt_at=closes_at - timedelta(days=WARN_DAYS),
    )
    _freeze_account(member.pk, reason=_UNLINKED, actor="worker")
    _tell(kept, "credits_kept", {"credits": balance.available, "until": _day(kept)})


def _restore(member: Member, now: datetime) -> None:
    if not has_active_binding(member):
        return
    kept = KeptAccount.objects.filter(member=member, restored_at=None).first()
    if kept is None:
        return
    kept.restored_at, kept.next_attempt_at = now, None
    kept.save(update_fields=["restored_at", "next_attempt_at"])
    if kept.closed_at is not None:
        ledger.reopen(member_id=member.pk, reason="linked again", actor="worker")
        if Freeze.objects.filter(member=member, thawed_at=None).exists():
            _freeze_account(member.pk, reason="frozen", actor="worker")
        return
    _thaw_account(member.pk, reason="linked again", actor="worker")
    available = get_balance(member).available
    if available:
        _tell(kept, "credits_restored", {"credits": available})


def close_kept(*, limit: int = BINDINGS_PER_COMMIT) -> int:
    """Warn those whose kept credits end in thirty days, and close what was kept long enough.

    Each account is a commit of its own. Safe to repeat, to race and to kill. Says how many.
    """
    attempts = Attempts("kept_accounts")
    due = KeptAccount.objects.filter(next_attempt_at__lte=database_now())
    due = due.exclude(pk__in=attempts.left_out)
    count = 0
    for key in list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:limit]):
        with attempts.at(key), transaction.atomic():
            kept = due.select_for_update(skip_locked=True, no_key=True).filter(pk=key).first()
            if kept is not None:
                _close_or_warn(kept, database_now())
                count += 1
    return count


def _close_or_warn(kept: KeptAccount, now: datetime) -> None:
    if now < kept.closes_at:
        available = get_balance(kept.member_id).available
        if available and kept.warned_at is None:
            _tell(
                kept, "credits_closing",
                {"credits": available, "until": _day(kept)},
            )  # fmt: skip
        kept.warned_at, kept.next_attempt_at = now, kept.closes_at
        kept.save(update_fields=["warned_at", "next_attempt_at"])
        return
    given_up = close_account(kept.member_id, reason=_UNLINKED)
    if given_up is None:
        kept.next_attempt_at = now + RETRY_AFTER  # A claim is still on its way; it ends first.
        kept.save(update_fields=["next_attempt_at"])
        return
    kept.closed_at, kept.given_up, kept.next_attempt_at = now, given_up, None
    kept.save(update_fields=["closed_at", "given_up", "next_attempt_at"])
    month = now.astimezone(ZoneInfo(kept.member.time_zone)).strftime("%Y-%m")
    _tell(
        kept, "credits_closed", {"credits": given_up}, link=f"/credits/statement?month={month}"
    )  # fmt: skip


def close_account(member_id: int, *, reason: str) -> int | None:
    """Bring an account to nothing, on record, and close it; says how many credits were given up.

    What was promised and not earned is canceled with it. None while a hold is open, and nothing
    has changed then.
    """
    balance = get_balance(member_id)
    if balance.status == AccountStatus.CLOSED:
        return 0
    if balance.held:
        return None
    for amount in (-balance.available, balance.debt):
        if amount:
            ledger.adjust(
                member_id=member_id,
                op_id=uuid7(balance.as_of),
                amount=amount,
                counter=Counter.BREAKAGE,
                reason=reason,
                related="close",
            )
    try:
        ledger.close(member_id=member_id, reason=reason, actor="worker")
    except errors.AccountNotEmpty:
        return None  # Lapsed credits that the sweep has not settled yet.
    for promise in list_pending(member_id):
        cancel_pending(member_id=member_id, op_id=promise.op_id, amount=promise.amount)
    return balance.available


def refund(
    *, member_id: int, op_id: UUID, orig_op: UUID, amount: int, reason: str, related: str
) -> None:
    """`ledger.refund`, also to a closed account, where it is given up in the same commit.

    Nobody is left to have it, but what was paid for came back: the journal says both, as it does
    of what falls into a bucket that is over. Raises what `ledger.refund` raises but AccountClosed.
    """
    asked: dict[str, Any] = {"op_id": op_id, "orig_op": orig_op, "amount": amount}
    asked |= {"member_id": member_id, "reason": reason, "related": related}
    with transaction.atomic():
        try:
            ledger.refund(**asked)
        except errors.AccountClosed:
            ledger.reopen(member_id=member_id, reason="refund", actor="worker")
            if given := ledger.refund(**asked).available:
                ledger.adjust(
                    member_id=member_id,
                    op_id=uuid7(),
                    amount=-given,
                    counter=Counter.BREAKAGE,
                    reason=reason,
                    related="close",
                )
            ledger.close(member_id=member_id, reason="refund", actor="worker")


def _day(kept: KeptAccount) -> str:
    """The last day they are kept, by the member's own calendar."""
    return kept.closes_at.astimezone(ZoneInfo(kept.member.time_zone)).date().isoformat()


def _tell(kept: KeptAccount, kind: str, facts: dict[str, object], link: str = "/me/wallet") -> None:
    write_notice(
        member_id=kept.member_id, kind=kind, facts=facts, link=link, dedupe_key=f"{kind}:{kept.pk}"
    )
