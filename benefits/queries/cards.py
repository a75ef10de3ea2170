"""Benefits as cards: what one member sees, and what tapping would do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import Q, QuerySet

from benefits import rules
from benefits.conditions.leaves import Step
from benefits.conditions.tree import Verdict
from benefits.errors import (
    CollectingForIt,
    Ended,
    EntriesClosed,
    NotEligible,
    NotEnoughCredits,
    NotStarted,
    QuotaReached,
    RuleNotMet,
    SliceSoldOut,
    again_at_of,
)
from benefits.models import Benefit, Bundle, Claim, FairDraw, Release
from benefits.models.claim import COUNTED
from benefits.models.kinds import DRAW_TICKET
from benefits.queries.draws import read_ticket_draws
from benefits.queries.limits import Terms, read_terms
from benefits.queries.places import Place, read_places
from benefits.queries.stock import StockBand, count_left, pick_release, stock_band, with_reading
from benefits.queries.verdicts import read_verdicts, refusal_of
from zone.core.errors import NotFound, ZoneError
from zone.members.models import Member

CardState = Literal[
    "claimable", "locked", "sold_out", "not_yet", "paused", "ended", "owned", "draw"
]


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
    place: Place | None = None  # in the line of a sold-out release
    draw: FairDraw | None = None  # that the release is, or was, given out by
    draw_phase: str = ""
    ticket_draw: FairDraw | None = None  # that it is a ticket of

    @property
    def sentence(self) -> str:
        return str(self.refusal) if self.refusal else ""

    @property
    def again_at(self) -> datetime | None:
        """When a limit that is full frees again; None where none is, or never."""
        return again_at_of(self.refusal)

    @property
    def next_step(self) -> str:
        """A word for the page that unlocks it: `bind`, `earn`, or nothing."""
        if isinstance(self.refusal, NotEnoughCredits):
            return "earn"
        return self.refusal.next_step if isinstance(self.refusal, NotEligible) else ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The shortest way to be let in by the benefit's rule; empty when there is none."""
        return self.refusal.steps if isinstance(self.refusal, RuleNotMet) else ()

    @property
    def is_wishable(self) -> bool:
        """Whether time, or something the member does, may open it: then they can ask to be told."""
        if self.state in ("not_yet", "paused"):
            return True
        if self.state != "locked" or self.next_step == "bind":
            return False
        return bool(self.steps) or isinstance(
            self.refusal, NotEnoughCredits | QuotaReached | SliceSoldOut
        )

    @property
    def gap(self) -> int:
        """Credits still missing."""
        if isinstance(self.refusal, NotEnoughCredits):
            return int(self.refusal.facts["gap"])
        return 0


def _owned(member: Member, benefits: list[Benefit]) -> dict[int, list[Claim]]:
    """The member's claims of these benefits' current releases, by release."""
    release_ids = [
        release.pk
        for benefit in benefits
        for release in benefit.current_releases  # type: ignore[attr-defined]
    ]
    owned: dict[int, list[Claim]] = {}
    claims = Claim.objects.filter(COUNTED, member=member, release_id__in=release_ids)
    for claim in claims.order_by("-id"):
        owned.setdefault(claim.release_id, []).append(claim)
    return owned


def _card(
    benefit: Benefit,
    *,
    facts: rules.MemberFacts | None,
    release: Release | None,
    terms: Terms | None,
    verdict: Verdict | None,
    place: Place | None,
    ticket_draw: FairDraw | None,
    prize_verdict: Verdict | None,
    left: dict[int, int],
    owned: dict[int, list[Claim]],
    available: int | None,
    now: datetime,
    language: str,
) -> Card:
    mine = owned.get(release.pk, []) if release else []
    units = left.get(release.pk, 0) if release else 0
    price = release.price_credits if release else benefit.price_credits
    price = terms.price_credits if terms else price
    refusal = rules.find_window_refusal(benefit=benefit, release=release, now=now) or _closed(
        benefit
    )
    if refusal is None and benefit.kind == DRAW_TICKET:
        refusal = rules.find_entry_refusal(ticket_draw, now=now)
    draw = _draw_of(release)
    state: CardState = "claimable"
    if place is not None and place.is_for_gift:
        is_collecting, place = True, None
    else:
        is_collecting = False
    if release is not None and len(mine) + is_collecting >= release.per_member:
        state, refusal = ("owned", None) if mine else ("locked", CollectingForIt())
    elif isinstance(refusal, NotStarted) and not _is_by_lot(draw):
        state = "not_yet"
    elif isinstance(refusal, Ended | EntriesClosed | NotFound) or release is None:
        state = "ended"
    elif refusal is not None and not isinstance(refusal, NotStarted):
        state = "paused"
    elif _is_by_lot(draw):
        # Whether one may have it is asked of an entry too; whether one can pay, of winners.
        refusal = None
        if facts is not None:
            refusal = rules.find_member_refusal(benefit=benefit, facts=facts) or refusal_of(verdict)
        state = "locked" if refusal else "draw"
    elif units == 0:
        state = "sold_out"
    elif facts is not None:
        refusal = rules.find_member_refusal(benefit=benefit, facts=facts)
        if refusal is None:
            refusal = refusal_of(verdict) or (terms.refusal if terms else None)
        if refusal is None and ticket_draw is not None:
            # Whoever could not have the prize is not sold a chance of it.
            prize = ticket_draw.release.benefit
            refusal = rules.find_member_refusal(benefit=prize, facts=facts)
            refusal = refusal or refusal_of(prize_verdict)
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
        place=place,
        draw=draw,
        draw_phase=draw.phase_at(now) if draw else "",
        ticket_draw=ticket_draw,
    )


def _draw_of(release: Release | None) -> FairDraw | None:
    """The draw that `with_reading` read beside the release; one that was canceled is none."""
    draw: FairDraw | None = getattr(release, "draw", None)
    return None if draw is None or draw.state == FairDraw.State.CANCELED else draw


def _is_by_lot(draw: FairDraw | None) -> bool:
    return draw is not None and draw.state in FairDraw.LIVE_STATES


def _closed(benefit: Any) -> ZoneError | None:
    """The hours that `with_reading` read beside the benefit."""
    return rules.find_hours_refusal(
        is_timed=benefit.is_timed,
        is_open=benefit.open_until is not None,
        opens_next_at=benefit.opens_next_at,
    )


def make_cards(
    benefits: list[Benefit],
    *,
    member: Member | None,
    available: int | None,
    now: datetime,
    language: str,
    bundle: Bundle | None = None,
) -> list[Card]:
    facts = rules.facts_of(member, now=now) if member else None
    release_ids = [
        release.pk
        for benefit in benefits
        for release in benefit.current_releases  # type: ignore[attr-defined]
    ]
    left = count_left(release_ids, now=now)
    owned = _owned(member, benefits) if member else {}
    places: dict[int, Place] = {}
    if member is not None:
        places = read_places(member=member, release_ids=release_ids, now=now)
    for release_id, place in places.items():
        left[release_id] += place.is_offered  # One is held for this member alone.
    chosen = {
        benefit.pk: pick_release(benefit.current_releases, left, now=now)  # type: ignore[attr-defined]
        for benefit in benefits
    }
    ticket_draws = read_ticket_draws(benefits)
    prizes = [draw.release.benefit for draw in ticket_draws.values()]
    terms: dict[int, Terms] = {}
    verdicts: dict[int, Verdict] = {}
    if member is not None:
        pairs = [(benefit, release) for benefit in benefits if (release := chosen[benefit.pk])]
        terms = read_terms(member=member, chosen=pairs, now=now)
        verdicts = read_verdicts(
            member=member, benefits=[*benefits, *prizes], now=now, within=bundle
        )
    return [
        _card(
            benefit,
            release=chosen[benefit.pk],
            terms=terms.get(benefit.pk),
            verdict=verdicts.get(benefit.pk),
            place=places.get(release.pk) if (release := chosen[benefit.pk]) else None,
            ticket_draw=(drawn := ticket_draws.get(benefit.pk)),
            prize_verdict=verdicts.get(drawn.release.benefit_id) if drawn else None,
            facts=facts,
            left=left,
            owned=owned,
            available=available,
            now=now,
            language=language,
        )
        for benefit in benefits
    ]


def open_to(benefits: QuerySet[Benefit], member: Member | None) -> QuerySet[Benefit]:
    """Leave out what this member can never have: another wallet's, another mode's; and what only
    a stamp board gives.
    """
    benefits = benefits.filter(only_for_stamps=False)
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
    benefits: QuerySet[Benefit] | None = None,
    bundle: Bundle | None = None,
) -> list[Card]:
    """The catalogue in its order, as this member sees it.

    `available` is the member's credits; None leaves the price out of the verdict. `benefits` takes
    the place of what this member may see; each is judged as a part of `bundle`. At most fifteen
    queries, whatever the number of cards; two more with tickets among them.
    """
    if benefits is None:
        benefits = open_to(Benefit.objects.listed(now), member)
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
    return make_cards(
        list(with_reading(benefits, now=now)),
        member=member,
        available=available,
        now=now,
        language=language,
        bundle=bundle,
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
    benefits = open_to(Benefit.objects.listed(now).filter(slug=slug), member)
    found = list(with_reading(benefits, now=now))
    if not found:
        raise NotFound()
    return make_cards(found, member=member, available=available, now=now, language=language)[0]


def list_drops(
    *, member: Member | None, available: int | None, now: datetime, language: str = ""
) -> list[Card]:
    """Benefits with a daily drop that is open or comes next, the soonest first."""
    benefits = open_to(Benefit.objects.listed(now), member).filter(schedules__is_active=True)
    cards = make_cards(
        list(with_reading(benefits.distinct(), now=now)),
        member=member,
        available=available,
        now=now,
        language=language,
    )
    shown = [card for card in cards if card.release is not None]
    return sorted(shown, key=lambda card: card.release.opens_at)  # type: ignore[union-attr]
