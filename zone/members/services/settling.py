"""Beginnings and ends of bindings, for the rooms above: rows that wait until somebody acted on them."""

from collections.abc import Collection, Iterable

from django.db.models import F, Q

from zone.members.models import Binding

# What a room above may have to act upon.
_SETTLED = (Binding.Status.ACTIVE, Binding.Status.UNBOUND, Binding.Status.EXPIRED)


def take_unsettled_bindings(limit: int, leaving_out: Collection[str] = ()) -> list[Binding]:
    """Bindings that began or ended and nobody acted on, oldest first, locked until the commit."""
    return list(
        Binding.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        .filter(Q(status__in=_SETTLED) & ~Q(settled_status=F("status")))
        .exclude(pk__in=leaving_out)
        .select_related("member__wallet")
        .order_by("pk")[:limit]
    )


def mark_settled(bindings: Iterable[Binding]) -> None:
    """These were acted upon as they stand; a change after they were read waits for the next round."""
    for binding in bindings:
        Binding.objects.filter(pk=binding.pk).update(settled_status=binding.status)
