"""What a gift does by itself: arrive at its hour, and go back after a week."""

from django.db import transaction

from benefits.models import Gift
from benefits.services import gift_moves
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.stuck import Attempts

BATCH_GIFTS = 50

State = Gift.State


def drain_gifts() -> int:
    """Deliver every gift whose hour has struck, give back every one whose week is over.

    Both already hold on reading; this writes them down and tells people. Several processes may
    run it at once, and it is safe to kill: a batch is one commit. Returns how many it moved.
    """
    moved = 0
    while batch := _drain_batch():
        moved += batch
    return moved


def _drain_batch() -> int:
    with transaction.atomic():
        now = database_now()
        attempts = Attempts("gifts")
        due = list(
            Gift.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(state__in=Gift.OPEN_STATES, next_attempt_at__lte=now)
            .exclude(pk__in=attempts.left_out)
            .order_by("next_attempt_at", "id")[:BATCH_GIFTS]
        )
        for row in due:
            with attempts.at(row.pk):
                gift = gift_moves.lock_gift(row)
                if gift.is_due_back(now):
                    _return(gift)
                else:
                    _deliver(gift)
        failpoint("gifts_before_commit")
    return len(due)


def _deliver(gift: Gift) -> None:
    now = database_now()
    gift.state = State.DELIVERED
    gift.delivered_at = now
    gift.next_attempt_at = gift.returns_at
    gift.save(update_fields=["state", "delivered_at", "next_attempt_at"])
    gift_moves.record_gift_event(gift, cause="gift_deliver", actor="worker", now=now)
    gift_moves.tell_giver(gift, "gift_delivered", now=now, returns_at=gift.returns_at.isoformat())


def _return(gift: Gift) -> None:
    now = database_now()
    receiver_id = gift.receiver_id
    is_giver_s = gift_moves.give_back(
        gift,
        to=State.RETURNED,
        cause="gift_return",
        actor="worker",
        now=now,
        valid_until=gift_moves.restored_end(gift, now=now),
    )
    if is_giver_s:
        gift_moves.tell_giver(gift, "gift_returned", now=now)
    if receiver_id is not None:
        gift_moves.tell(gift, "gift_missed", member_id=receiver_id, link="/gifts", now=now)
