"""Bundles as a member meets them: what is in one, what was chosen, how far up a ladder."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from benefits.errors import AlreadyChosen
from benefits.models import Benefit, Bundle, BundleItem, Claim
from benefits.queries.cards import Card, list_cards, open_to
from zone.core.errors import NotFound
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class BundleCard:
    """A bundle as one member sees it. `chosen` are the claims that used up a right of a choice."""

    bundle: Bundle
    text: dict[str, str]
    cards: list[Card]
    least_spent: dict[int, int]  # of a ladder, by the benefit's key
    chosen: list[Claim]

    @property
    def price_credits(self) -> int:
        return sum(card.price_credits for card in self.cards)

    @property
    def is_claimable(self) -> bool:
        """All of it can be had: what is hidden from this member is missing, not left out."""
        return len(self.cards) == len(self.least_spent) and all(
            card.state == "claimable" for card in self.cards
        )


def get_bundle(*, slug: str) -> Bundle:
    bundle = Bundle.objects.filter(slug=slug, is_active=True).first()
    if bundle is None:
        raise NotFound()
    return bundle


def read_bundle(
    *, bundle: Bundle, member: Member | None, available: int | None, now: datetime, language: str
) -> BundleCard:
    """The benefits of a bundle that this member may see, in its order. Raises NotFound for none."""
    items = list(bundle.items.all())
    places = {item.benefit_id: place for place, item in enumerate(items)}
    cards = list_cards(
        member=member,
        available=available,
        now=now,
        language=language,
        benefits=open_to(Benefit.objects.listed(now), member).filter(pk__in=list(places)),
        bundle=bundle,
    )
    if not cards:
        raise NotFound()
    cards.sort(key=lambda card: places[card.benefit.pk])
    chosen = []
    if member is not None and bundle.is_choice:
        counted = Q(holds_slot=True) | Q(state=Claim.State.GIFTED)
        chosen = list(
            Claim.objects.filter(
                counted, member=member, benefit__in=list(places), counts_to_limit=True
            )
            .select_related("benefit", "release")
            .order_by("pk")
        )
    return BundleCard(
        bundle=bundle,
        text=bundle.text(language),
        cards=cards,
        least_spent={item.benefit_id: item.least_spent for item in items},
        chosen=chosen,
    )


def list_bundles_of(benefit: Benefit) -> list[Bundle]:
    """The bundles in force that hold a benefit."""
    return list(Bundle.objects.filter(is_active=True, items__benefit=benefit).order_by("pk"))


def list_bundles(*, member: Member | None, now: datetime) -> list[Bundle]:
    """Bundles in force with something in them for this member; exclusions are no offer."""
    shown = open_to(Benefit.objects.listed(now), member).values("pk")
    return list(
        Bundle.objects.filter(is_active=True, items__benefit__in=shown)
        .exclude(kind=Bundle.Kind.APART)
        .distinct()
        .order_by("pk")
    )


def share_a_choice(one_id: int, other_id: int) -> bool:
    """Whether some choice in force holds both benefits."""
    return Bundle.objects.filter(
        pk__in=BundleItem.objects.filter(benefit_id=one_id).values("bundle_id"),
        items__benefit_id=other_id,
        is_active=True,
        kind__in=Bundle.CHOOSING,
    ).exists()


def find_choice_refusal(*, member: Member, benefit: Benefit, now: datetime) -> AlreadyChosen | None:
    """The member's claim that leaves no right to this benefit, by name; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT benefits_bundle_rival(%s, %s, %s)", [benefit.pk, member.pk, now])
        (claim_id,) = cursor.fetchone()
    if claim_id is None:
        return None
    chosen = Benefit.objects.prefetch_related("texts").get(claims__pk=claim_id)
    text = chosen.text()
    return AlreadyChosen(chosen=chosen.public_id, title=text.title if text else chosen.slug)
