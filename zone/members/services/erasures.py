"""Forgetting a member: asked for, cooled off, then done room by room, each in its own commit."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from zone.core import clock
from zone.core.nudge import nudge
from zone.core.stuck import Attempts
from zone.members.errors import ErasureNotOpen, MemberErased
from zone.members.models import (
    Binding,
    BindingAttempt,
    BindingStep,
    Consent,
    Erasure,
    Member,
    MemberSession,
    PartnerMember,
    WalletIdentity,
    WalletVisit,
)
from zone.members.services.partner_events import tell_partners
from zone.members.services.sessions import end_all_sessions
from zone.partners.services.forgetting import (
    forget_answers,
    forget_in_events,
    forget_references,
)

COOLING_DAYS = 15
BATCH_ROWS = 50
Status = Member.Status


def request_erasure(*, member: Member, by: str, now: datetime) -> Erasure:
    """The member is to be forgotten in fifteen days, unless somebody calls it off.

    Safe to repeat and to race: the wish that stands is returned. Claims and gifts are refused from
    now on; reading and signing in go on, so that one can change one's mind. Raises MemberErased.
    """
    with transaction.atomic():
        row = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        if row.status == Status.ERASED:
            raise MemberErased
        if standing := find_erasure(row):
            return standing
        Member.objects.filter(pk=row.pk).update(status=Status.ERASING, updated_at=now)
        erasure = Erasure.objects.create(
            member=row,
            requested_at=now,
            requested_by=by,
            due_at=now + timedelta(days=COOLING_DAYS),
        )
    member.status = Status.ERASING
    return erasure


def cancel_erasure(*, member: Member, now: datetime) -> None:
    """Everything stays as it is. Raises ErasureNotOpen once forgetting has begun."""
    with transaction.atomic():
        row = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        changed = Erasure.objects.filter(member=row, canceled_at=None, begun_at=None).update(
            canceled_at=now
        )
        if not changed:
            raise ErasureNotOpen
        Member.objects.filter(pk=row.pk, status=Status.ERASING).update(
            status=Status.ACTIVE, updated_at=now
        )
    member.status = Status.ACTIVE


def ask_to_erase(*, member: Member, actor: str, now: datetime) -> bool:
    """An operator's word for it. False when the wish stands already, or was fulfilled."""
    if member.status == Status.ERASED or find_erasure(member):
        return False
    request_erasure(member=member, by=actor, now=now)
    return True


def call_erasure_off(*, member: Member, actor: str, now: datetime) -> bool:
    """False when there was nothing to call off."""
    try:
        cancel_erasure(member=member, now=now)
    except ErasureNotOpen:
        return False
    return True


def find_erasure(member: Member) -> Erasure | None:
    """The wish that stands, or None."""
    return Erasure.objects.filter(member=member, canceled_at=None).first()


def begin_erasures(*, limit: int = BATCH_ROWS) -> int:
    """Forget in this room those whose fifteen days are over, and ring for the rooms above.

    From this commit on nobody can sign in as them, no id of a wallet or partner leads to them, and
    what is left is a number without a person. Safe to repeat, to race and to kill.
    """
    now, attempts = clock.database_now(), Attempts("erasures")
    with transaction.atomic():
        due = list(
            Erasure.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(canceled_at=None, begun_at=None, done_at=None, due_at__lte=now)
            .exclude(pk__in=attempts.left_out)
            .order_by("due_at")[:limit]
        )
        for erasure in due:
            with attempts.at(erasure.pk):
                _forget(erasure.member_id, now)
                erasure.begun_at = now
                _finish(erasure, now)
                erasure.save(update_fields=["begun_at", "done_at"])
    if due:
        for task in settings.ERASURE_TASKS:
            nudge(task)
    return len(due)


def _forget(member_id: int, now: datetime) -> None:
    member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
    end_all_sessions(member=member, now=now)
    WalletVisit.objects.filter(member=member).delete()
    MemberSession.objects.filter(member=member).delete()
    WalletIdentity.objects.filter(member=member).delete()
    BindingStep.objects.filter(attempt__member=member).update(facts={})
    BindingAttempt.objects.filter(member=member).update(next_path="", device_os="", entry="")
    ended = Binding.Status.UNBOUND
    Binding.objects.filter(member=member, status__in=Binding.OPEN_STATUSES).update(
        status=ended, settled_status=ended, unbound_at=now
    )
    Binding.objects.filter(member=member).update(
        agreement_reference=None,
        account_masked="",
        apple_index=None,
        next_query_at=None,
        updated_at=now,
    )
    # That they agreed, to what and when, is kept as the law asks; how they looked then is not.
    Consent.objects.filter(member=member, withdrawn_at=None).update(withdrawn_at=now)
    Consent.objects.filter(member=member).update(evidence={}, language="")
    for known in PartnerMember.objects.filter(member=member).select_related("partner"):
        forget_in_events(partner_id=known.partner_id, object_ids=[known.public_id])
        forget_answers(partner=known.partner, object_ids=[known.public_id])
    forget_references(member_id)
    PartnerMember.objects.filter(member=member).update(
        external_id=None, metadata={}, updated_at=now
    )
    was = member.status
    Member.objects.filter(pk=member_id).update(
        status=Status.ERASED,
        display_name="",
        language=member.wallet.default_language,
        person_token=None,
        is_adult=True,
        updated_at=now,
    )
    tell_partners(member_id=member_id, word="erased", was=was, now=now)


def forget_in_room(room: str, forget: Callable[[Erasure], bool]) -> int:
    """Let `room` forget whom it has not forgotten yet, each in a commit of their own.

    `forget` answers False when something of the member's is still under way: then it is asked
    again later. Safe to repeat, to race and to kill: a member is ticked off in the commit that
    forgets them. Says how many were forgotten.
    """
    waiting = Erasure.objects.filter(begun_at__isnull=False, done_at=None).exclude(
        rooms_done__contains=[room]
    )
    count = 0
    attempts = Attempts(f"erasures_{room}")
    due = waiting.exclude(pk__in=attempts.left_out).order_by("due_at")
    for key in list(due.values_list("pk", flat=True)[:BATCH_ROWS]):
        with attempts.at(key), transaction.atomic():
            erasure = (
                waiting.select_for_update(skip_locked=True, no_key=True).filter(pk=key).first()
            )
            if erasure is None or not forget(erasure):
                continue
            erasure.rooms_done = [*erasure.rooms_done, room]
            _finish(erasure, clock.database_now())
            erasure.save(update_fields=["rooms_done", "done_at"])
            count += 1
    return count


def is_forgotten_elsewhere(erasure: Erasure, room: str) -> bool:
    """Whether every room but this one is through with the member."""
    return set(settings.ERASURE_ROOMS) - {room} <= set(erasure.rooms_done)


def _finish(erasure: Erasure, now: datetime) -> None:
    if set(settings.ERASURE_ROOMS) <= set(erasure.rooms_done):
        erasure.done_at = now
