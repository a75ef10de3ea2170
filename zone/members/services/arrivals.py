"""The first time somebody signs in. Rooms above find arrivals as rows and do their part."""

from datetime import datetime

from django.conf import settings

from zone.core.nudge import nudge
from zone.members.models import Member
from zone.members.wallets.base import Identity


def note_arrival(*, member: Member, identity: Identity, now: datetime) -> bool:
    """Keep what the wallet said about a person; True when it is their first sign-in.

    `first_signed_in_at` without `welcomed_at`, and an identity without `history_linked_at`, are
    the rows that the rooms above drain; the nudge only makes them look sooner.
    """
    fresh: dict[str, object] = {"is_adult": identity.is_adult}
    if identity.display_name and not member.display_name:
        fresh["display_name"] = identity.display_name[:60]
    if identity.person_token and member.person_token is None:
        fresh["person_token"] = identity.person_token
    for name, value in fresh.items():
        setattr(member, name, value)
    member.save(update_fields=[*fresh, "updated_at"])
    is_first = bool(
        Member.objects.filter(pk=member.pk, first_signed_in_at__isnull=True).update(
            first_signed_in_at=now
        )
    )
    if is_first:
        member.first_signed_in_at = now
        for task in settings.MEMBER_ARRIVAL_TASKS:
            nudge(task)
    return is_first
