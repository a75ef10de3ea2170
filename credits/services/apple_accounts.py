"""Beginnings count once for an Apple account, in whichever wallets it is linked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from credits.models import AppleAccountFirst
from credits.queries.apple import What, list_not_first
from credits.queries.earning import list_first_charges
from zone.history.models import Charge
from zone.members.queries import list_apple_indices


def take_firsts(what: str, indices: Mapping[int, bytes], *, at: datetime) -> set[int]:
    """Write down whose first it is; the members for whom it is none, since somebody was before.

    In the transaction that acts upon it. Safe to repeat and to race: of two members with one Apple
    account the second waits for the first's commit. Where one call brings both, the earlier in
    `indices` was first.
    """
    places = {member_id: place for place, member_id in enumerate(indices)}
    AppleAccountFirst.objects.bulk_create(
        (
            AppleAccountFirst(apple_index=index, what=what, member_id=member_id, at=at)
            for member_id, index in sorted(
                indices.items(), key=lambda pair: (pair[1], places[pair[0]])
            )
        ),
        ignore_conflicts=True,
    )
    return list_not_first(what, indices)


def list_returning_charges(charges: Sequence[Charge], *, now: datetime) -> set[UUID]:
    """Which of these are a member's first purchase, but not their Apple account's."""
    indices = list_apple_indices({charge.member_id for charge in charges})
    if not indices:
        return set()
    firsts = list_first_charges(indices)
    by_member = {
        charge.member_id: charge
        for charge in sorted(charges, key=lambda charge: charge.paid_at)
        if charge.id in firsts
    }
    returning = take_firsts(
        What.PURCHASE, {member_id: indices[member_id] for member_id in by_member}, at=now
    )
    return {by_member[member_id].id for member_id in returning}


def take_link(member_id: int, index: bytes | None, *, at: datetime) -> bool:
    """Whether this link may be thanked for; from now on it is this member's."""
    return index is None or not take_firsts(What.LINK, {member_id: bytes(index)}, at=at)


def give_link_up(member_id: int, index: bytes | None) -> None:
    """Nothing was given for it: whoever links it next may be thanked."""
    if index is not None:
        AppleAccountFirst.objects.filter(
            apple_index=index, what=What.LINK, member_id=member_id
        ).delete()
