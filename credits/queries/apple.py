"""What an Apple account brought somebody before."""

from collections.abc import Collection, Mapping

from credits.models import AppleAccountFirst
from zone.members.queries import list_apple_indices

What = AppleAccountFirst.What


def list_not_first(what: str, indices: Mapping[int, bytes]) -> set[int]:
    """Of members with these Apple accounts, those whose account brought it somebody else."""
    owners = {
        bytes(index): member_id
        for index, member_id in AppleAccountFirst.objects.filter(
            what=what, apple_index__in=set(indices.values())
        ).values_list("apple_index", "member_id")
    }
    return {
        member_id
        for member_id, index in indices.items()
        if owners.get(index, member_id) != member_id
    }


def list_returning(member_ids: Collection[int]) -> set[int]:
    """Members whose first purchase would be no first: their Apple account bought as another."""
    indices = list_apple_indices(member_ids)
    return list_not_first(What.PURCHASE, indices) if indices else set()
