"""Past claims: taken on their day, granted, seen, used, and some that failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from benefits.models import Claim
from benefits.providers.base import Issued
from benefits.services import grants
from benefits.services.claims import claim_benefit
from benefits.services.redemptions import redeem_claim
from benefits.services.reveal import reveal_claim
from zone.console.seed.catalogue import Published
from zone.console.seed.people import SEED_NUMBER, Person
from zone.console.seed.travel import travel_to
from zone.core import clock
from zone.core.errors import ZoneError
from zone.core.ids import uuid7
from zone.members.models import Member

_PROVIDER_REFUSES = 0.04
_SPENT_BEFORE = timedelta(days=10)
_JUST_TAKEN = timedelta(days=1)
# What the first person of each wallet has in hand: one code not yet looked at, one trial running.
_IN_HAND = {
    *("app-store-20-off-98", "icloud-200gb-3-months"),
    "app-store-100-off-ticket",
    *("hk-arcade-3-months", "hk-icloud-50gb-1-month"),
    *("ph-arcade-1-month", "ph-icloud-50gb-2-months"),
}


@dataclass(frozen=True, order=True)
class Wish:
    """Somebody wants an offer at a moment; whether they get it is the Zone's to say."""

    at: datetime
    number: int
    slug: str
    wallet: str


def draw_wishes(
    published: list[Published], people: list[Person], *, now: datetime
) -> Iterator[Wish]:
    """Who comes for what, and when: most within days of the opening."""
    for each in published:
        offer, release = each.offer, each.release
        if release is None or offer.taken_share == 0.0:
            continue
        dice = Random(f"{SEED_NUMBER}:{offer.slug}")  # noqa: S311
        until = min(now, release.closes_at) if release.closes_at else now
        open_for = (until - release.opens_at).total_seconds()
        for person in people:
            is_sold_out = offer.taken_share is None
            if person.wallet != offer.wallet:
                continue
            if person.number == 1 and until == now:
                # What else is open now stays there for the visitor who signs in as them.
                if offer.slug in _IN_HAND:
                    yield Wish(now - _JUST_TAKEN, person.number, offer.slug, offer.wallet)
                continue
            if person.number == 2 and offer.price_credits and not is_sold_out:
                # They spend what a purchase earned, and the purchase is refunded later.
                yield Wish(now - _SPENT_BEFORE, person.number, offer.slug, offer.wallet)
                continue
            if not is_sold_out and dice.random() > (offer.taken_share or 0) * 1.15:
                continue
            rush = 0.02 if is_sold_out else 1.0
            at = release.opens_at + timedelta(seconds=open_for * dice.betavariate(1, 3) * rush)
            yield Wish(
                at + timedelta(seconds=dice.uniform(1, 50)), person.number, offer.slug, offer.wallet
            )


def grant_wish(wish: Wish, person: Person, member: Member, each: Published) -> Claim | None:
    """Claim at the wish's moment, then live the claim. None when a rule refused it.

    A refusal is as good a story as a claim: not bound then, or too few credits.
    """
    if each.release is None:
        return None
    travel_to(wish.at)
    dice = person.dice(f"claim:{wish.slug}")
    try:
        claim = claim_benefit(
            member=member,
            release=each.release,
            op_id=uuid7(wish.at),
            now=clock.now(),
        )
    except ZoneError:
        return None
    if claim.is_waiting_for_provider:
        _answer_for_issuer(claim, dice, is_sure=person.number == 1)
    return claim


def live_claim(claim: Claim, person: Person, *, now: datetime) -> None:
    """Look at the code, use it, or leave it lying until it ends."""
    if claim.mode == "draw":
        return  # Its draw is still to come.
    dice = person.dice(f"life:{claim.benefit_id}")
    if claim.state != Claim.State.GRANTED or dice.random() < 0.2:
        return
    if person.number == 1 and claim.created_at >= now - _JUST_TAKEN:
        return
    seen_at = claim.created_at + timedelta(minutes=dice.uniform(1, 900))
    if seen_at >= now:
        return
    travel_to(seen_at)
    actor = f"member:{claim.member.public_id}"
    if claim.mode == "codes":
        reveal_claim(claim=claim, now=clock.now(), actor=actor)
    used_at = seen_at + timedelta(hours=dice.uniform(0.2, 90))
    if dice.random() < 0.6 and used_at < now:
        travel_to(used_at)
        redeem_claim(claim=claim, now=clock.now(), actor=actor)


def _answer_for_issuer(claim: Claim, dice: Random, *, is_sure: bool) -> None:
    """What the issuer answered then, written down by the very step that the worker takes."""
    if claim.price_credits:
        return  # A hold is captured by the worker, at today's time.
    if dice.random() < _PROVIDER_REFUSES and not is_sure:
        grants.fail(claim, "not_eligible_at_apple", provider_status="refused")
    else:
        grants.grant(claim, Issued(reference=f"past-{claim.public_id}"))
    claim.refresh_from_db()
