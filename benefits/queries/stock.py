"""How much is left of what, and which release a call that names only a benefit gets."""

from datetime import datetime
from typing import Literal

from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)

from benefits.models import (
    Benefit,
    OpeningHours,
    OpeningSpan,
    Release,
    ReturnedSlot,
    SlotCounter,
    WaitlistEntry,
)

StockBand = Literal["plenty", "some", "few", "none"]

# A tenth of a release left, or fewer than this many units, is "few".
FEW_UNITS_MAX = 20


def count_left(release_ids: list[int], *, now: datetime) -> dict[int, int]:
    """Units still to be had of each release: ranges not used up, and slots that came back."""
    sellable = Q(sells_until__isnull=True) | Q(sells_until__gt=now)
    left = dict.fromkeys(release_ids, 0)
    ranges = (
        SlotCounter.objects.filter(sellable, release_id__in=release_ids)
        .values("release_id")
        .annotate(units=Sum(F("end_slot") - F("next_slot") + Value(1)))
    )
    # What was kept for somebody is everybody's from its instant on, unless somebody waits for it.
    waiting = WaitlistEntry.objects.filter(
        release_id=OuterRef("release_id"), state=WaitlistEntry.State.WAITING
    )
    is_free = Q(offered_to=None) | (Q(offered_until__lte=now) & ~Exists(waiting))
    returned = (
        ReturnedSlot.objects.filter(sellable, is_free, release_id__in=release_ids)
        .values("release_id")
        .annotate(units=Count("id"))
    )
    for rows in (ranges, returned):
        for release_id, units in rows.values_list("release_id", "units"):
            left[release_id] += units
    return left


def stock_band(left: int, stock: int) -> StockBand:
    """How much is left in a word, as it is published: exact figures stay inside."""
    if left <= 0:
        return "none"
    if left <= FEW_UNITS_MAX or left * 10 <= stock:
        return "few"
    return "some" if left * 2 <= stock else "plenty"


def pick_release(releases: list[Release], left: dict[int, int], *, now: datetime) -> Release | None:
    """The open release that closes first and has stock, else the best one to talk about."""
    open_now = [
        release
        for release in releases
        if release.opens_at <= now and (release.closes_at is None or release.closes_at > now)
    ]
    open_now.sort(key=lambda release: (release.closes_at is None, release.closes_at or now))
    for release in open_now:
        if left.get(release.pk, 0) > 0:
            return release
    coming = [release for release in releases if release.opens_at > now]
    if open_now:
        return open_now[0]
    return min(coming, key=lambda release: release.opens_at, default=None)


def find_open_release(benefit: Benefit, *, now: datetime) -> Release | None:
    """What a call that only names a benefit gets; None when it has no release at all."""
    releases = list(
        benefit.releases.filter(Q(closes_at__isnull=True) | Q(closes_at__gt=now)).select_related(
            "benefit"
        )
    )
    return pick_release(releases, count_left([r.pk for r in releases], now=now), now=now)


def with_reading(benefits: QuerySet[Benefit], *, now: datetime) -> QuerySet[Benefit]:
    """Texts, and the releases that are open or still to come with the draw each may be given out
    by: two queries for any number.

    And whether the benefit keeps hours, is inside one of them, until when, and opens next when.
    """
    releases = Release.objects.filter(Q(closes_at__isnull=True) | Q(closes_at__gt=now))
    releases = releases.select_related("draw")
    spans = OpeningSpan.objects.filter(
        benefit_id=OuterRef("pk"), hours__is_active=True, ends_at__gt=now
    )
    is_open = spans.filter(starts_at__lte=now)
    is_coming = spans.filter(starts_at__gt=now)
    return benefits.annotate(
        is_timed=Exists(OpeningHours.objects.filter(benefit_id=OuterRef("pk"), is_active=True)),
        open_until=Subquery(is_open.order_by("-ends_at").values("ends_at")[:1]),
        opens_next_at=Subquery(is_coming.order_by("starts_at").values("starts_at")[:1]),
    ).prefetch_related("texts", Prefetch("releases", queryset=releases, to_attr="current_releases"))
