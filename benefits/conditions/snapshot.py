"""What conditions look at: one member at one instant, at most one query per source."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count

from benefits.models import Claim, SegmentMember
from zone.history.models import Charge, Subscription
from zone.members.models import Member
from zone.members.queries import find_open_binding

WINDOW_DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class Purchase:
    paid_at: datetime
    amount: int  # What is left of it after refunds, minor units.
    currency: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A member's facts. Steps answer with a changed copy, so a path can be tried out."""

    now: datetime
    wallet: str
    storefront: str
    language: str
    is_adult: bool
    currency: str
    bound_at: datetime | None
    purchases: tuple[Purchase, ...] = ()
    subscriptions: frozenset[tuple[str, bool]] = frozenset()  # (service, is open)
    segments: frozenset[str] = frozenset()
    claims: dict[str, int] = field(default_factory=dict)  # by the benefit's address

    def purchases_since(self, days: int) -> list[Purchase]:
        start = self.now - timedelta(days=days)
        return [bought for bought in self.purchases if start < bought.paid_at <= self.now]


def take_snapshot(member: Member, *, sources: Iterable[str], now: datetime) -> Snapshot:
    """The member as the named sources know them; a source nobody asks for costs no query."""
    wanted = set(sources)
    binding = find_open_binding(member)
    is_bound = (
        binding is not None
        and binding.is_bound
        and (binding.valid_until is None or binding.valid_until > now)
    )
    return Snapshot(
        now=now,
        wallet=member.wallet_id,
        storefront=binding.storefront if binding is not None and is_bound else member.storefront,
        language=member.language,
        is_adult=member.is_adult,
        currency=member.wallet.currency,
        bound_at=(binding.bound_at or now) if binding is not None and is_bound else None,
        purchases=_purchases(member, now) if "purchases" in wanted else (),
        subscriptions=_subscriptions(member) if "subscriptions" in wanted else frozenset(),
        segments=_segments(member) if "segments" in wanted else frozenset(),
        claims=_claims(member) if "claims" in wanted else {},
    )


def _purchases(member: Member, now: datetime) -> tuple[Purchase, ...]:
    rows = Charge.objects.filter(
        member=member,
        status=Charge.Status.SUCCEEDED,
        paid_at__gt=now - timedelta(days=WINDOW_DAYS_MAX),
        paid_at__lte=now,
    ).values_list("paid_at", "amount", "refunded", "currency")
    # A purchase that was given back in full was none.
    return tuple(
        Purchase(paid_at, amount - refunded, currency)
        for paid_at, amount, refunded, currency in rows
        if amount > refunded
    )


def _subscriptions(member: Member) -> frozenset[tuple[str, bool]]:
    rows = Subscription.objects.filter(member=member).values_list("service", "status")
    return frozenset((service, status in Subscription.OPEN_STATUSES) for service, status in rows)


def _segments(member: Member) -> frozenset[str]:
    rows = SegmentMember.objects.filter(member=member).values_list("segment__code", flat=True)
    return frozenset(rows)


def _claims(member: Member) -> dict[str, int]:
    rows = Claim.objects.filter(member=member, holds_slot=True).values_list("benefit__slug")
    return dict(rows.annotate(Count("id")))
