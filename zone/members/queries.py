"""What other rooms ask about a member."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Q

from zone.core import clock
from zone.members.models import Binding, Member, MemberSession


def has_active_binding(member: Member) -> bool:
    """Whether Apple may debit the member's wallet right now; one indexed read."""
    return (
        Binding.objects.filter(member=member, status=Binding.Status.ACTIVE)
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gt=clock.now()))
        .exists()
    )


def is_same_person(one: Member, other: Member) -> bool:
    """One natural person may be a member of several wallets; the wallets' keyed token tells."""
    if one.pk == other.pk:
        return True
    return one.person_token is not None and other.person_token is not None and (
        bytes(one.person_token) == bytes(other.person_token)
    )  # fmt: skip


def find_open_binding(member: Member) -> Binding | None:
    """The member's one binding that has not ended, or None."""
    return Binding.objects.filter(member=member, status__in=Binding.OPEN_STATUSES).first()


def list_open_bindings(member_ids: Sequence[int]) -> dict[int, Binding]:
    """Each member's binding that has not ended, by the member's key; one query for any number."""
    rows = Binding.objects.filter(member_id__in=member_ids, status__in=Binding.OPEN_STATUSES)
    return {binding.member_id: binding for binding in rows.order_by("-pk")}


def list_apple_indices(member_ids: Collection[int]) -> dict[int, bytes]:
    """The Apple account that each member last paid for, as a keyed hash; who has none is left out."""
    rows = (
        Binding.objects.filter(member_id__in=member_ids, bound_at__isnull=False)
        .order_by("member_id", "-bound_at", "-pk")
        .distinct("member_id")
        .values_list("member_id", "apple_index")
    )
    return {member_id: bytes(index) for member_id, index in rows if index is not None}


def list_devices(member_ids: Sequence[int]) -> dict[int, list[tuple[str, datetime]]]:
    """The devices that members signed in with, by the member's key: a name and when last seen."""
    rows = MemberSession.objects.filter(member_id__in=member_ids).values_list(
        "member_id", "host", "device", "seen_at"
    )
    found: dict[int, list[tuple[str, datetime]]] = {}
    for member_id, host, device, seen_at in rows:
        found.setdefault(member_id, []).append((f"{host} {device}", seen_at))
    return found
