"""The catalogue: benefits with words in two languages, releases, codes, daily drops."""

import io
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from django.conf import settings

from benefits.artwork import draw_artwork
from benefits.models import (
    Benefit,
    BenefitText,
    Bundle,
    BundleItem,
    DropSchedule,
    FairDraw,
    ProviderConfig,
    Release,
)
from benefits.models.kinds import DRAW_TICKET, WALLET_VOUCHER
from benefits.services.draws import announce_draw
from benefits.services.drops import make_drops
from benefits.services.imports import import_codes
from benefits.services.lifecycle import move_benefit
from benefits.services.stock import create_release
from zone.console.seed.catalogue_data import (
    DROPS,
    EVENING,
    EVENING_WORDS,
    GETS,
    OFFERS,
    PRIZE,
    STEPS,
    TERMS,
    TICKET_STEPS,
    TICKETS,
    VOUCHER_STEPS,
    Drop,
    Offer,
)
from zone.console.seed.prices import STOREFRONT
from zone.core import clock
from zone.members.models import Wallet

ACTOR = "operator:editor"
APPROVER = "operator:approver"
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 12
_CODES_LIVE_DAYS = 170
_ISSUER = "sandbox-issuer"
_WALLET = "sandbox-wallet-vouchers"


@dataclass(frozen=True)
class Published:
    """A benefit that is out, with the release that the seed claims from; None for a drop."""

    offer: Offer
    benefit: Benefit
    release: Release | None


def ensure_issuer() -> ProviderConfig:
    """The built-in issuer's row; where it listens is a setting of the running Zone."""
    issuer, _is_new = ProviderConfig.objects.get_or_create(
        code=_ISSUER,
        defaults={
            "name": "Sandbox issuer",
            "kind": ProviderConfig.Kind.SANDBOX,
            "url": settings.SANDBOX_ISSUER_URL or "http://127.0.0.1",
        },
    )
    return issuer


def _provider_of(offer: Offer, issuer: ProviderConfig) -> ProviderConfig | None:
    if offer.mode != "provider":
        return None
    if offer.kind != WALLET_VOUCHER:
        return issuer
    wallet, _is_new = ProviderConfig.objects.get_or_create(
        code=_WALLET,
        defaults={
            "name": "Sandbox wallet's vouchers",
            "kind": ProviderConfig.Kind.SANDBOX_WALLET,
            "allows_return": True,
        },
    )
    return wallet


def due_offers(today: datetime, *, after: datetime, until: datetime) -> list[Offer]:
    """Offers whose preparation falls between two moments: a day before they open."""
    return [
        offer
        for offer in OFFERS
        if after < today + timedelta(days=min(offer.opens_day, 0) - 1) <= until
    ]


def publish_offer(offer: Offer, *, today: datetime, issuer: ProviderConfig) -> Published:
    """Write, stock and approve one offer, at the moment both clocks show."""
    benefit = _write(offer, today)
    release = create_release(
        benefit=benefit,
        mode=offer.mode,
        provider=_provider_of(offer, issuer),
        stock=0 if offer.mode == "codes" else offer.stock,
        opens_at=today + timedelta(days=offer.opens_day),
        closes_at=today + timedelta(days=offer.closes_day),
        actor=ACTOR,
        now=clock.now(),
    )
    if offer.mode == "codes":
        import_codes(
            release=release,
            source=_code_file(offer),
            file_name=f"{offer.slug}.csv",
            actor=ACTOR,
            now=clock.now(),
        )
    _approve(benefit)
    return Published(offer, benefit, release)


def publish_draw(*, today: datetime, issuer: ProviderConfig) -> Published:
    """A draw that still takes entries today: its prize, and the tickets it is entered with."""
    prize = publish_offer(PRIZE, today=today, issuer=issuer)
    if prize.release is None:
        raise RuntimeError("a prize has its release")
    opens_at = today + timedelta(days=TICKETS.opens_day)
    draw = announce_draw(
        release=prize.release,
        entries_open_at=opens_at,
        entries_close_at=today + timedelta(days=TICKETS.closes_day),
        entry_by=FairDraw.EntryBy.TICKET,
        actor=ACTOR,
        now=clock.now(),
    )
    tickets = replace(TICKETS, detail={"draw": draw.public_id})
    return publish_offer(tickets, today=today, issuer=issuer)


def publish_drop(drop: Drop, *, today: datetime, issuer: ProviderConfig) -> Published:
    """A benefit whose release the schedule makes each day, from two weeks ago on."""
    benefit = _write(drop.offer, today)
    zone = Wallet.objects.values_list("time_zone", flat=True).get(code=drop.offer.wallet)
    DropSchedule.objects.create(
        benefit=benefit,
        opens_at_local=time(drop.hour),
        open_minutes=24 * 60 - 5,
        time_zone=zone,
        mode="provider",
        provider=issuer,
        stock=drop.units,
        price_credits=drop.offer.price_credits,
        per_member=1,
        starts_on=clock.now().date(),
    )
    _approve(benefit)
    make_drops()
    return Published(drop.offer, benefit, None)


def draw_pictures() -> int:
    """A picture for every benefit that has none; returns how many were drawn."""
    bare = list(Benefit.objects.filter(artwork={}))
    for benefit in bare:
        draw_artwork(benefit)
    return len(bare)


def all_drops() -> tuple[Drop, ...]:
    return DROPS


def write_bundles() -> None:
    """The choice of an evening: one of three. Safe to repeat."""
    bundle, is_new = Bundle.objects.get_or_create(
        slug="evening", defaults={"kind": Bundle.Kind.PICK, "words": EVENING_WORDS}
    )
    if is_new:
        for place, slug in enumerate(EVENING):
            benefit = Benefit.objects.get(slug=slug)
            BundleItem.objects.create(bundle=bundle, benefit=benefit, position=place)


def _write(offer: Offer, today: datetime) -> Benefit:
    is_over = offer.closes_day < 0
    benefit = Benefit.objects.create(
        slug=offer.slug,
        kind=offer.kind,
        detail=offer.detail,
        hue=offer.hue,
        price_credits=offer.price_credits,
        per_member=offer.per_member,
        visible_from=clock.now(),
        visible_until=today + timedelta(days=offer.closes_day) if is_over else None,
        valid_days=offer.valid_days,
        requires_binding=offer.requires_binding,
        requires_adult=offer.requires_adult,
        is_giftable=offer.kind not in (WALLET_VOUCHER, DRAW_TICKET),
        wallets=[offer.wallet],
        storefronts=[STOREFRONT[offer.wallet]],
        funder="apple" if offer.kind.endswith("_trial") else "wallet",
        unit_cost=offer.unit_cost,
        is_featured=offer.is_featured,
        sort_weight=offer.sort_weight,
    )
    steps = {WALLET_VOUCHER: VOUCHER_STEPS, DRAW_TICKET: TICKET_STEPS}.get(offer.kind, STEPS)
    for language, (title, subtitle) in offer.texts.items():
        BenefitText.objects.create(
            benefit=benefit,
            language=language,
            title=title,
            subtitle=subtitle,
            description=GETS[offer.kind][language],
            steps=[{"title": title, "text": text} for title, text in steps[language]],
            terms=TERMS[language],
        )
    return benefit


def _approve(benefit: Benefit) -> None:
    for status, actor in (("in_review", ACTOR), ("scheduled", APPROVER), ("live", APPROVER)):
        move_benefit(benefit=benefit, to=status, actor=actor, now=clock.now())


def _code_file(offer: Offer) -> io.BytesIO:
    """A pool of invented codes, as the issuer's file would bring them."""
    ends = (clock.now() + timedelta(days=_CODES_LIVE_DAYS)).date().isoformat()
    lines = ["code,redemption_url,expires_on"]
    for _unit in range(offer.stock):
        code = "".join(secrets.choice(_CODE_LETTERS) for _letter in range(_CODE_LENGTH))
        lines.append(f"{code},https://apps.apple.com/redeem?ctx=offercodes&code={code},{ends}")
    return io.BytesIO("\n".join(lines).encode())
