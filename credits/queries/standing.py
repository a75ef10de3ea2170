"""Why a member's account stands still."""

from credits.models import KeptAccount
from zone.members.models import Member


def find_kept(member: Member) -> KeptAccount | None:
    """The account that waits for the member's link, unless an operator froze the member anyway."""
    if member.is_frozen:
        return None
    return KeptAccount.objects.filter(member=member, restored_at=None, closed_at=None).first()
