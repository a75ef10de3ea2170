"""What a gift with friends does by itself: end, when it is not complete in time."""

from django.db import transaction

from benefits.models import GroupGift
from benefits.services.group_gifts import State, close_group
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.stuck import Attempts


def drain_groups() -> int:
    """End every gift with friends whose time is over, give its parts back and tell everybody.

    It is over on reading already; this writes it down. Each in a commit of its own: it needs the
    accounts of its friends, and those of two gifts may be the same. Several processes may run it
    at once, and it is safe to kill. Returns how many it ended.
    """
    ended = 0
    attempts = Attempts("group_gifts")
    while _end_one(attempts):
        ended += 1
    return ended


def _end_one(attempts: Attempts) -> bool:
    with transaction.atomic():
        now = database_now()
        group = (
            GroupGift.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(state=State.COLLECTING, ends_at__lte=now)
            .exclude(pk__in=attempts.left_out)
            .order_by("ends_at", "id")
            .first()
        )
        if group is None:
            return False
        with attempts.at(group.pk):
            close_group(group, to=State.ENDED, now=now)
        failpoint("groups_before_commit")
    return True
