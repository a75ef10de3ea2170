"""Where a member stands in the lines of sold-out releases."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from benefits.models import Benefit, GroupGift, Release, ReturnedSlot, WaitlistEntry
from zone.members.models import Member

# A place is told as a band: exact numbers would tell how many others wait.
BANDS = (10, 50, 100, 500, 1000)


@dataclass(frozen=True, slots=True)
class Place:
    """`band` is the smallest number the place is within; None when it is further back.

    What is held for a gift with friends is not the member's to claim: `is_for_gift`.
    """

    entry_id: int
    is_offered: bool
    offered_until: datetime | None
    band: int | None
    is_for_gift: bool = False


def read_places(*, member: Member, release_ids: Iterable[int], now: datetime) -> dict[int, Place]:
    """The member's open places, by release. An offer whose time is over is none any more."""
    ahead = (
        WaitlistEntry.objects.filter(
            release_id=OuterRef("release_id"), state=WaitlistEntry.State.WAITING
        )
        .filter(pk__lt=OuterRef("pk"))
        .values("release_id")
        .annotate(number=Count("id"))
        .values("number")
    )
    entries = WaitlistEntry.objects.filter(
        member=member, release_id__in=list(release_ids), state__in=WaitlistEntry.OPEN_STATES
    ).annotate(rank=Coalesce(Subquery(ahead), Value(0)) + 1, group=F("group_gift"))
    places = {}
    for entry in entries:
        is_offered = entry.state == WaitlistEntry.State.OFFERED
        if is_offered and (entry.offered_until is None or entry.offered_until <= now):
            continue
        places[entry.release_id] = Place(
            entry_id=entry.pk,
            is_offered=is_offered and entry.group is None,
            offered_until=entry.offered_until,
            band=next((band for band in BANDS if entry.rank <= band), None),
            is_for_gift=entry.group is not None,
        )
    return places


def find_held_release(benefit: Benefit, *, member: Member, now: datetime) -> Release | None:
    """The release of which a unit is held for this member, by the line or by a partner."""
    own = GroupGift.objects.filter(starter=member, state=GroupGift.State.COLLECTING)
    return (
        Release.objects.filter(
            benefit=benefit,
            returned_slots__offered_to=member,
            returned_slots__offered_until__gt=now,
        )
        .exclude(pk__in=own.values("release_id"))
        .select_related("benefit")
        .order_by("returned_slots__offered_until")
        .first()
    )


def has_offers(release: Release) -> bool:
    """Whether a slot is held for somebody in line: then "sold out" is not true for everyone."""
    return ReturnedSlot.objects.filter(release=release, offered_to__isnull=False).exists()
