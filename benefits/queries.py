"""What pages, the API and the console read. Few wide queries; every figure from real rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from benefits import rules
from benefits.errors import Ended, NotEligible, NotEnoughCredits, NotStarted
from benefits.models import Benefit, Claim, Code, Release, ReturnedSlot, SlotCounter
from zone.core.errors import NotFound, ZoneError
from zone.members.models import Member

CardState = Literal["claimable", "locked", "sold_out", "not_yet", "paused", "ended", "owned"]
StockBand = Literal["plenty", "some", "few", "none"]
Segment = Literal["available", "used", "expired"]

# A tenth of a release left, or fewer than this many units, is "few".
FEW_UNITS_MAX = 20
PAGE_ROWS_MAX = 50


@dataclass(frozen=True, slots=True)
class Card:
    """One benefit as one member sees it: its words, what is left, and what tapping it would do."""

    benefit: Benefit
    text: Any  # BenefitText, or None while nobody has written one
    release: Release | None
    state: CardState
    refusal: ZoneError | None  # why it is locked, not yet open, paused or over
    left: int
    stock: StockBand
    claimed: int
    opens_at: datetime | None
    closes_at: datetime | None
    price_credits: int
    owned_claim: Claim | None

    @property
    def sentence(self) -> str:
        return str(self.refusal) if self.refusal else ""

    @property
    def next_step(self) -> str:
        """A word for the page that unlocks it: `bind`, `earn`, or nothing."""
        if isinstance(self.refusal, NotEnoughCredits):
            return "earn"
        return self.refusal.next_step if isinstance(self.refusal, NotEligible) else ""

    @property
    def gap(self) -> int:
        """Credits still missing."""
        if isinstance(self.refusal, NotEnoughCredits):
            return int(self.refusal.facts["gap"])
        return 0


@dataclass(frozen=True, slots=True)
class ClaimCounts:
    available: int
    used: int
    expired: int


def find_claim(*, member: Member, op_id: UUID) -> Claim | None:
    """The claim this operation made, if it made one: the first answer of a retry."""
    return (
        Claim.objects.filter(member=member, op_id=op_id)
        .select_related("benefit", "release", "terms")
        .first()
    )


def get_claim(*, member: Member, public_id: str) -> Claim:
    """A member's own claim with everything its page shows. Raises NotFound for anyone else's."""
    claim = (
        Claim.objects.filter(member=member, public_id=public_id)
        .select_related("benefit", "release", "terms")
        .prefetch_related("benefit__texts", "events")
        .first()
    )
    if claim is None:
        raise NotFound()
    return claim


def find_code(claim: Claim) -> Code | None:
    """The sealed code behind a claim; its last four letters may be shown, the rest is revealed."""
    return Code.objects.filter(release_id=claim.release_id, slot=claim.slot).first()


def count_left(release_ids: list[int], *, now: datetime) -> dict[int, int]:
    """Units still to be had of each release: ranges not used up, and slots that came back."""
    sellable = Q(sells_until__isnull=True) | Q(sells_until__gt=now)
    left = dict.fromkeys(release_ids, 0)
    ranges = (
        SlotCounter.objects.filter(sellable, release_id__in=release_ids)
        .values("release_id")
        .annotate(units=Sum(F("end_slot") - F("next_slot") + Value(1)))
    )
    returned = (
        ReturnedSlot.objects.filter(sellable, release_id__in=release_ids, offered_to=None)
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


def _pick_release(
    releases: list[Release], left: dict[int, int], *, now: datetime
) -> Release | None:
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
    return _pick_release(releases, count_left([r.pk for r in releases], now=now), now=now)


def _with_reading(benefits: QuerySet[Benefit], *, now: datetime) -> QuerySet[Benefit]:
    """Texts and the releases that are open or still to come, two queries for any number."""
    releases = Release.objects.filter(Q(closes_at__isnull=True) | Q(closes_at__gt=now))
    return benefits.prefetch_related(
        "texts", Prefetch("releases", queryset=releases, to_attr="current_releases")
    )


def _owned(member: Member, benefits: list[Benefit]) -> dict[int, list[Claim]]:
    """The member's claims of these benefits' current releases, by release."""
    release_ids = [
        release.pk
        for benefit in benefits
        for release in benefit.current_releases  # type: ignore[attr-defined]
    ]
    owned: dict[int, list[Claim]] = {}
    claims = Claim.objects.filter(member=member, release_id__in=release_ids, holds_slot=True)
    for claim in claims.order_by("-id"):
        owned.setdefault(claim.release_id, []).append(claim)
    return owned


def _card(
    benefit: Benefit,
    *,
    facts: rules.MemberFacts | None,
    left: dict[int, int],
    owned: dict[int, list[Claim]],
    available: int | None,
    now: datetime,
    language: str,
) -> Card:
    releases: list[Release] = benefit.current_releases  # type: ignore[attr-defined]
    release = _pick_release(releases, left, now=now)
    mine = owned.get(release.pk, []) if release else []
    units = left.get(release.pk, 0) if release else 0
    price = release.price_credits if release else benefit.price_credits
    refusal = rules.find_window_refusal(benefit=benefit, release=release, now=now)
    state: CardState = "claimable"
    if release is not None and len(mine) >= release.per_member:
        state, refusal = "owned", None
    elif isinstance(refusal, NotStarted):
        state = "not_yet"
    elif isinstance(refusal, Ended | NotFound) or release is None:
        state = "ended"
    elif refusal is not None:
        state = "paused"
    elif units == 0:
        state = "sold_out"
    elif facts is not None:
        refusal = rules.find_member_refusal(benefit=benefit, facts=facts)
        if refusal is None and available is not None:
            refusal = rules.find_credits_refusal(price=price, available=available)
        state = "locked" if refusal else "claimable"
    return Card(
        benefit=benefit,
        text=benefit.text(language),
        release=release,
        state=state,
        refusal=refusal,
        left=units,
        stock=stock_band(units, release.stock if release else 0),
        claimed=max(release.stock - units, 0) if release else 0,
        opens_at=refusal.facts["opens_at"] if isinstance(refusal, NotStarted) else None,
        closes_at=release.closes_at if release else None,
        price_credits=price,
        owned_claim=mine[0] if mine else None,
    )


def _cards(
    benefits: list[Benefit],
    *,
    member: Member | None,
    available: int | None,
    now: datetime,
    language: str,
) -> list[Card]:
    facts = rules.facts_of(member, now=now) if member else None
    release_ids = [
        release.pk
        for benefit in benefits
        for release in benefit.current_releases  # type: ignore[attr-defined]
    ]
    left = count_left(release_ids, now=now)
    owned = _owned(member, benefits) if member else {}
    return [
        _card(
            benefit,
            facts=facts,
            left=left,
            owned=owned,
            available=available,
            now=now,
            language=language,
        )
        for benefit in benefits
    ]


def _open_to(benefits: QuerySet[Benefit], member: Member | None) -> QuerySet[Benefit]:
    """Leave out what this member can never have: another wallet's, another mode's."""
    if member is None:
        return benefits.filter(livemode=True)
    return benefits.filter(
        Q(wallets=[]) | Q(wallets__contains=[member.wallet_id]), livemode=member.wallet.livemode
    )


def list_cards(
    *,
    member: Member | None,
    available: int | None,
    now: datetime,
    language: str = "",
    kind: str = "",
    hue: str = "",
    search: str = "",
    is_free: bool | None = None,
) -> list[Card]:
    """The catalogue in its order, as this member sees it.

    `available` is the member's credits; None leaves the price out of the verdict. At most seven
    queries, whatever the number of cards.
    """
    benefits = _open_to(Benefit.objects.listed(now), member)
    if kind:
        benefits = benefits.filter(kind=kind)
    if hue:
        benefits = benefits.filter(hue=hue)
    if is_free is not None:
        benefits = (
            benefits.filter(price_credits=0) if is_free else benefits.exclude(price_credits=0)
        )
    if search:
        benefits = benefits.filter(
            Q(texts__title__icontains=search) | Q(texts__subtitle__icontains=search)
        ).distinct()
    benefits = benefits.order_by("-is_featured", "sort_weight", "-id")
    return _cards(
        list(_with_reading(benefits, now=now)),
        member=member,
        available=available,
        now=now,
        language=language,
    )


def get_card(
    *,
    slug: str,
    member: Member | None,
    available: int | None,
    now: datetime,
    language: str = "",
) -> Card:
    """One benefit as this member sees it. Raises NotFound when it is not shown to them."""
    benefits = _open_to(Benefit.objects.listed(now).filter(slug=slug), member)
    found = list(_with_reading(benefits, now=now))
    if not found:
        raise NotFound()
    return _cards(found, member=member, available=available, now=now, language=language)[0]


def list_drops(
    *, member: Member | None, available: int | None, now: datetime, language: str = ""
) -> list[Card]:
    """Benefits with a daily drop that is open or comes next, the soonest first."""
    benefits = _open_to(Benefit.objects.listed(now), member).filter(schedules__is_active=True)
    cards = _cards(
        list(_with_reading(benefits.distinct(), now=now)),
        member=member,
        available=available,
        now=now,
        language=language,
    )
    shown = [card for card in cards if card.release is not None]
    return sorted(shown, key=lambda card: card.release.opens_at)  # type: ignore[union-attr]


def _segment_filter(segment: Segment, now: datetime) -> Q:
    """Which of a member's claims belong to a segment; an unswept end counts as an end."""
    is_over = Q(state=Claim.State.GRANTED, valid_until__lte=now)
    if segment == "available":
        open_states = [Claim.State.RESERVED, Claim.State.GRANTED]
        return Q(state__in=open_states) & ~Q(valid_until__lte=now)
    if segment == "used":
        return Q(state=Claim.State.REDEEMED)
    ended = [
        Claim.State.EXPIRED,
        Claim.State.REVOKED,
        Claim.State.RETURNED,
        Claim.State.GIFTED,
        Claim.State.FAILED,
    ]
    return Q(state__in=ended) | is_over


def list_claims(
    *, member: Member, segment: Segment, now: datetime, before: int | None = None
) -> list[Claim]:
    """A member's claims of a segment: what ends soonest first, the past newest first."""
    claims = (
        Claim.objects.filter(_segment_filter(segment, now), member=member)
        .select_related("benefit")
        .prefetch_related("benefit__texts")
        .annotate(
            last_four=Coalesce(
                Subquery(
                    Code.objects.filter(
                        release_id=OuterRef("release_id"), slot=OuterRef("slot")
                    ).values("last_four")[:1]
                ),
                Value(""),
            )
        )
    )
    if segment == "available":
        return list(claims.order_by(F("valid_until").asc(nulls_last=True), "-id")[:PAGE_ROWS_MAX])
    if before is not None:
        claims = claims.filter(pk__lt=before)
    return list(claims.order_by("-id")[:PAGE_ROWS_MAX])


def count_claims(*, member: Member, now: datetime) -> ClaimCounts:
    """How many there are in each segment, in one read of the member's own rows."""
    counts = Claim.objects.filter(member=member).aggregate(
        available=Count("id", filter=_segment_filter("available", now)),
        used=Count("id", filter=_segment_filter("used", now)),
        expired=Count("id", filter=_segment_filter("expired", now)),
    )
    return ClaimCounts(**counts)


def list_expiring(*, member: Member, now: datetime, until: datetime) -> list[Claim]:
    """The member's granted claims that end by `until`, soonest first."""
    return list(
        Claim.objects.filter(
            member=member,
            state=Claim.State.GRANTED,
            valid_until__gt=now,
            valid_until__lte=until,
        )
        .select_related("benefit")
        .prefetch_related("benefit__texts")
        .order_by("valid_until", "id")[:PAGE_ROWS_MAX]
    )
