"""What other rooms ask about a member."""

from django.db.models import Q

from zone.core import clock
from zone.members.models import Binding, Member


def has_active_binding(member: Member) -> bool:
    """Whether Apple may debit the member's wallet right now; one indexed read."""
    return (
        Binding.objects.filter(member=member, status=Binding.Status.ACTIVE)
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gt=clock.now()))
        .exists()
    )


def find_open_binding(member: Member) -> Binding | None:
    """The member's one binding that has not ended, or None."""
    return Binding.objects.filter(member=member, status__in=Binding.OPEN_STATUSES).first()
