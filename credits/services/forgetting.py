"""A forgotten member's account is closed; its journal stays, under a number that leads to nobody."""

from credits.models import AdjustRequest, Freeze
from credits.services.standing import close_account
from zone.members.models import Erasure
from zone.members.services.erasures import forget_in_room

ROOM = "credits"
_BLANK = "–"  # A note may not be empty; what it said may have named the member.


def forget_members() -> int:
    """Credits of whoever is forgotten are given up on record. Says how many were."""
    return forget_in_room(ROOM, _forget)


def _forget(erasure: Erasure) -> bool:
    """False while a hold is open: the claim it pays for ends first."""
    if close_account(erasure.member_id, reason="erased") is None:
        return False
    AdjustRequest.objects.filter(member_id=erasure.member_id).update(note=_BLANK)
    frozen = Freeze.objects.filter(member_id=erasure.member_id)
    frozen.update(note=_BLANK)
    frozen.exclude(thaw_note="").update(thaw_note=_BLANK)
    return True
