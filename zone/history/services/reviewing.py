from zone.core import clock
from zone.history.models import RejectedMessage


def mark_reviewed(message_ids: list[int], *, actor: str) -> int:
    """Refused messages leave the open board; returns how many did. The first reviewer stays."""
    return RejectedMessage.objects.filter(id__in=message_ids, reviewed_at__isnull=True).update(
        reviewed_at=clock.now(), reviewed_by=actor
    )
