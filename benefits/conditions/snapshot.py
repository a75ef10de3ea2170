"""What conditions look at: members at one instant, at most one query per source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from benefits.models import Claim, MemberTag, SegmentMember
from credits.queries.tiers import TierStanding, list_tiers
from zone.history.models import Charge, Subscription
from zone.members.models import Binding, Member
from zone.members.queries import list_devices, list_open_bindings

WINDOW_DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class Purchase:
    paid_at: datetime
    amount: int  # What is left of it after refunds, minor units.
    currency: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The member's tier as rules see it: its place on the ladder, and what each step asks for."""

    place: int
    earned: int
    codes: tuple[str, ...]  # From the lowest tier up.
    names: tuple[str, ...]
    thresholds: tuple[int, ...]

    def place_of(self, code: str) -> int | None:
        """Where a tier stands; None when the plan in force does not know it."""
        return self.codes.index(code) if code in self.codes else None


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
    # When each claim that holds was made, by the benefit's address.
    claims: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    standing: Standing | None = None
    devices: tuple[tuple[str, datetime], ...] = ()  # (device, last seen)
    tags: frozenset[str] = frozenset()
    public_id: str = ""  # Which part of a trial they are in follows from it.

    def purchases_since(self, days: int) -> list[Purchase]:
        start = self.now - timedelta(days=days)
        return [bought for bought in self.purchases if start < bought.paid_at <= self.now]

    def next_purchase_end(self, days: int) -> datetime | None:
        """When the first of the purchases in a window falls out of it."""
        bought = self.purchases_since(days)
        return min((one.paid_at + timedelta(days=days) for one in bought), default=None)

    def claims_since(self, benefit: str, days: int | None) -> list[datetime]:
        """Claims of one benefit, or of any, made in the last days, the oldest first."""
        if benefit:
            made = list(self.claims.get(benefit, ()))
        else:
            made = [at for times in self.claims.values() for at in times]
        start = None if days is None else self.now - timedelta(days=days)
        return sorted(at for at in made if start is None or start < at)

    def devices_since(self, days: int) -> set[str]:
        start = self.now - timedelta(days=days)
        return {device for device, seen_at in self.devices if start < seen_at}


def take_snapshot(member: Member, *, sources: Iterable[str], now: datetime) -> Snapshot:
    """One member as the named sources know them; a source nobody asks for costs no query."""
    return take_snapshots([member], sources=sources, now=now)[member.pk]


def take_snapshots(
    members: Sequence[Member], *, sources: Iterable[str], now: datetime
) -> dict[int, Snapshot]:
    """Members by key, as the named sources know them: as many queries for many as for one.

    Their wallets should have been loaded with them.
    """
    wanted = set(sources)
    keys = [member.pk for member in members]
    bindings = list_open_bindings(keys)
    purchases = _purchases(keys, now) if "purchases" in wanted else {}
    subscriptions = _subscriptions(keys) if "subscriptions" in wanted else {}
    segments = _segments(keys) if "segments" in wanted else {}
    claims = _claims(keys) if "claims" in wanted else {}
    tiers = list_tiers(keys) if "tier" in wanted else {}
    devices = list_devices(keys) if "devices" in wanted else {}
    tags = _tags(keys) if "tags" in wanted else {}
    snapshots = {}
    for member in members:
        binding = _in_force(bindings.get(member.pk), now)
        snapshots[member.pk] = Snapshot(
            now=now,
            wallet=member.wallet_id,
            storefront=binding.storefront if binding is not None else member.storefront,
            language=member.language,
            is_adult=member.is_adult,
            currency=member.wallet.currency,
            bound_at=(binding.bound_at or now) if binding is not None else None,
            purchases=tuple(purchases.get(member.pk, ())),
            subscriptions=frozenset(subscriptions.get(member.pk, ())),
            segments=frozenset(segments.get(member.pk, ())),
            claims={slug: tuple(times) for slug, times in claims.get(member.pk, {}).items()},
            standing=_standing(tiers.get(member.pk)),
            devices=tuple(devices.get(member.pk, ())),
            tags=frozenset(tags.get(member.pk, ())),
            public_id=member.public_id,
        )
    return snapshots


def _in_force(binding: Binding | None, now: datetime) -> Binding | None:
    if binding is None or not binding.is_bound:
        return None
    is_over = binding.valid_until is not None and binding.valid_until <= now
    return None if is_over else binding


def _standing(tier: TierStanding | None) -> Standing | None:
    if tier is None:
        return None
    return Standing(
        place=tier.place,
        earned=tier.earned,
        codes=tuple(rung.code for rung in tier.tiers),
        names=tuple(rung.name for rung in tier.tiers),
        thresholds=tuple(rung.threshold for rung in tier.tiers),
    )


def _purchases(keys: list[int], now: datetime) -> dict[int, list[Purchase]]:
    rows = Charge.objects.filter(
        member_id__in=keys,
        status=Charge.Status.SUCCEEDED,
        paid_at__gt=now - timedelta(days=WINDOW_DAYS_MAX),
        paid_at__lte=now,
    ).values_list("member_id", "paid_at", "amount", "refunded", "currency")
    found: dict[int, list[Purchase]] = {}
    for key, paid_at, amount, refunded, currency in rows:
        if amount > refunded:  # A purchase that was given back in full was none.
            found.setdefault(key, []).append(Purchase(paid_at, amount - refunded, currency))
    return found


def _subscriptions(keys: list[int]) -> dict[int, list[tuple[str, bool]]]:
    rows = Subscription.objects.filter(member_id__in=keys)
    found: dict[int, list[tuple[str, bool]]] = {}
    for key, service, status in rows.values_list("member_id", "service", "status"):
        found.setdefault(key, []).append((service, status in Subscription.OPEN_STATUSES))
    return found


def _segments(keys: list[int]) -> dict[int, list[str]]:
    rows = SegmentMember.objects.filter(member_id__in=keys)
    found: dict[int, list[str]] = {}
    for key, code in rows.values_list("member_id", "segment__code"):
        found.setdefault(key, []).append(code)
    return found


def _tags(keys: list[int]) -> dict[int, list[str]]:
    rows = MemberTag.objects.filter(member_id__in=keys)
    found: dict[int, list[str]] = {}
    for key, tag in rows.values_list("member_id", "tag"):
        found.setdefault(key, []).append(tag)
    return found


def _claims(keys: list[int]) -> dict[int, dict[str, list[datetime]]]:
    rows = Claim.objects.filter(member_id__in=keys, holds_slot=True)
    found: dict[int, dict[str, list[datetime]]] = {}
    for key, slug, created_at in rows.values_list("member_id", "benefit__slug", "created_at"):
        found.setdefault(key, {}).setdefault(slug, []).append(created_at)
    return found
