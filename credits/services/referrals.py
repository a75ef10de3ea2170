"""Inviting friends: a code for good, one acceptance a friend, credits after their first purchase."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from credits import errors
from credits.models import EarnEvent, Invitation, Referral
from credits.queries.events import find_invitation
from credits.services.events import Event
from zone.core.errors import NotFound
from zone.history.models import Charge
from zone.members.models import Member
from zone.members.queries import is_same_person

# Newcomers accept within so many days of their first sign-in.
NEW_DAYS = 30
# Without look-alikes; ten letters are fifty bits, and a code opens nothing but a friendly page.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LETTERS = 10
State = Referral.State


class OwnInvitation(errors.LedgerError):
    code = "own_invitation"
    sentence = _("This is your own invitation. Send it to a friend.")


class NotNew(errors.LedgerError):
    code = "not_new"
    sentence = _("Invitations are for people who are new here.")


class InvitedBefore(errors.LedgerError):
    code = "invited_before"
    sentence = _("You have accepted an invitation already.")


def get_invitation(member: Member) -> Invitation:
    """The member's own code, made at first use. Safe to race."""
    if found := Invitation.objects.filter(member=member).first():
        return found
    code = "".join(secrets.choice(_LETTERS) for _number in range(_CODE_LETTERS))
    try:
        with transaction.atomic():
            return Invitation.objects.create(member=member, code=code)
    except IntegrityError:
        return Invitation.objects.get(member=member)


def refuse_unless_may_accept(*, member: Member, code: str, now: datetime) -> Invitation:
    """The invitation behind `code`, for somebody new. Changes nothing.

    Raises NotFound, OwnInvitation for any member of the same person, InvitedBefore, NotNew.
    """
    invitation = find_invitation(code)
    if invitation is None or not invitation.member.is_active or invitation.member.is_frozen:
        raise NotFound
    if is_same_person(member, invitation.member):
        raise OwnInvitation
    standing = Referral.objects.filter(friend=member).first()
    if standing is not None and standing.inviter_id != invitation.member_id:
        raise InvitedBefore
    if standing is None and not _is_new(member, invitation.member, now=now):
        raise NotNew
    return invitation


def _is_new(member: Member, inviter: Member, *, now: datetime) -> bool:
    since = member.first_signed_in_at
    is_recent = since is not None and since > now - timedelta(days=NEW_DAYS)
    return (
        is_recent
        and member.wallet.livemode == inviter.wallet.livemode
        and not Charge.objects.filter(member=member, amount__gt=0).exists()
        # Two who invite each other are one too many.
        and not Referral.objects.filter(friend=inviter, inviter=member).exists()
    )


def accept_invitation(*, member: Member, code: str, now: datetime) -> Referral:
    """The friend's first purchase will thank whoever invited them; nothing is given yet.

    Safe to repeat and to race: a friend has one row. Raises what `refuse_unless_may_accept` does.
    """
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        invitation = refuse_unless_may_accept(member=member, code=code, now=now)
        referral, _is_made = Referral.objects.get_or_create(
            friend=member, defaults={"inviter": invitation.member, "accepted_at": now}
        )
    return referral


@dataclass(frozen=True, slots=True)
class FirstPurchase:
    """A friend's first purchase, and the thanks it brings whoever invited them."""

    charge: Charge
    event: Event


def settle_first_purchases(
    charges: Sequence[Charge], *, now: datetime, returning: Collection[UUID] = ()
) -> list[FirstPurchase]:
    """Referrals that wait for one of these charges, settled by the oldest; who is to be thanked.

    In the transaction that credits the charges, so once. A purchase of before the acceptance says
    that the friend was no newcomer, and so does one among `returning`, whose Apple account bought as
    another member: then nobody is thanked.
    """
    real = [charge for charge in charges if charge.amount > 0]
    waiting = {
        row.friend_id: row
        for row in Referral.objects.select_for_update(no_key=True, of=("self",))
        .filter(friend_id__in={charge.member_id for charge in real}, state=State.WAITING)
        .select_related("inviter__wallet", "friend")
        .order_by("friend_id")
    }
    firsts: list[FirstPurchase] = []
    for charge in sorted(real, key=lambda charge: charge.paid_at):
        row = waiting.pop(charge.member_id, None)
        if row is None:
            continue
        is_new = charge.paid_at >= row.accepted_at and charge.id not in returning
        # Somebody whose token came after the acceptance may turn out to be the inviter.
        is_friend = not is_same_person(row.friend, row.inviter)
        row.state = State.BOUGHT if is_new and is_friend else State.REFUSED
        row.charge_id, row.settled_at = charge.id, now
        row.save(update_fields=["state", "charge_id", "settled_at"])
        if row.state == State.BOUGHT:
            event = Event(
                member=row.inviter,
                kind="referral",
                source=source_of(row.friend_id),
                related="referral",
                at=charge.paid_at,
            )
            firsts.append(FirstPurchase(charge, event))
    return firsts


def source_of(friend_id: int) -> str:
    return f"friend:{friend_id}"


def list_thanks(charge_ids: Collection[UUID]) -> dict[UUID, EarnEvent]:
    """The thanks that these charges brought, locked, by the charge. Two reads."""
    rows = Referral.objects.filter(charge_id__in=list(charge_ids), state__in=[State.BOUGHT])
    by_source = {(row.inviter_id, source_of(row.friend_id)): row.charge_id for row in rows}
    events = (
        EarnEvent.objects.select_for_update(no_key=True)
        .filter(
            member_id__in={key[0] for key in by_source},
            kind="referral",
            source__in={key[1] for key in by_source},
            credits__gt=0,
        )
        .order_by("member_id", "pk")
    )
    thanks: dict[UUID, EarnEvent] = {}
    for event in events:
        charge_id = by_source.get((event.member_id, event.source))
        if charge_id is not None:
            thanks[charge_id] = event
    return thanks


def mark_refunded(charge_id: UUID) -> None:
    """The purchase came back whole: the friend bought nothing after all."""
    Referral.objects.filter(charge_id=charge_id, state=State.BOUGHT).update(state=State.REFUNDED)
