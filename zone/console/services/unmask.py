"""Showing a member's real wallet id to an operator: one at a time, with a reason, on the log."""

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from zone.console.models import AuditEvent
from zone.console.services import audit
from zone.core import clock
from zone.core.errors import ZoneError
from zone.members.models import Member, WalletIdentity
from zone.members.services.identities import open_identity

ACTION = "member.unmasked"
PER_HOUR = 10
REASON_LETTERS_MIN = 8


class ReasonTooShort(ZoneError):
    code = "reason_too_short"
    sentence = _("Say in a few words why you need to see it.")


class TooManyUnmasked(ZoneError):
    code = "too_many_unmasked"
    sentence = _("You have looked at %(count)s members within an hour. Ask a colleague.")
    http_status = 429


@dataclass(frozen=True)
class Revealed:
    """What was behind the mask."""

    display_name: str
    wallet_ids: list[str]


def unmask_member(request: HttpRequest, member: Member, *, reason: str) -> Revealed:
    """The member's name and wallet ids in clear; who looked, and why, is on the audit log first.

    Raises ReasonTooShort, TooManyUnmasked.
    """
    reason = " ".join(reason.split())
    if len(reason) < REASON_LETTERS_MIN:
        raise ReasonTooShort
    since = clock.now() - timedelta(hours=1)
    looked = AuditEvent.objects.filter(user=request.user.pk, action=ACTION, at__gte=since).count()
    if looked >= PER_HOUR:
        raise TooManyUnmasked(count=looked)
    audit.record_deed(request, audit.Deed(ACTION, member, reason=reason))
    identities = WalletIdentity.objects.filter(member=member).order_by("id")
    return Revealed(member.display_name, [open_identity(each) for each in identities])


def masked_name(name: str) -> str:
    """The first letter of a name and nothing more of it."""
    return f"{name[0]}•••" if name else ""
