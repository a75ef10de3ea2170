"""A seeded crowd of members who differ in everything a rule looks at, made in bulk."""

import random
from datetime import datetime, timedelta

from benefits.models import MemberTag, Segment, SegmentMember
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.history.models import Charge, Subscription
from zone.members.models import Binding, Member, MemberSession, Wallet

WALLETS = ("ALIPAY_CN", "ALIPAY_HK")


def settle(number: int, *, seed: int, at: datetime | None = None) -> list[Member]:
    """`number` new members with bindings, purchases, subscriptions, devices and a list.

    The same seed makes the same people. Each carries `settled_at`, the instant they were made for.
    """
    dice, now = random.Random(seed), at or database_now()
    wallets = {wallet.pk: wallet for wallet in Wallet.objects.filter(pk__in=WALLETS)}
    members = Member.objects.bulk_create(
        Member(
            wallet=(wallet := wallets[dice.choice(WALLETS)]),
            language=dice.choice(["en", "zh-hans"]),
            storefront=wallet.storefront,
            time_zone=wallet.time_zone,
            is_adult=dice.random() < 0.9,
            joined_at=now - timedelta(days=400),
        )
        for _ in range(number)
    )
    vip, _ = Segment.objects.get_or_create(code="vip", defaults={"name": "VIP"})
    SegmentMember.objects.bulk_create(
        SegmentMember(segment=vip, member=member) for member in members if dice.random() < 0.2
    )
    Binding.objects.bulk_create(
        Binding(
            member=member, storefront=member.storefront, status=Binding.Status.ACTIVE,
            agreement_reference=f"AGR-{uuid7().hex}", status_occurred_at=bound_at,
            bound_at=bound_at,
        )
        for member in members
        if dice.random() < 0.7 and (bound_at := now - timedelta(days=dice.randint(0, 90)))
    )  # fmt: skip
    Charge.objects.bulk_create(
        Charge(
            id=uuid7(paid_at), wallet=member.wallet, member=member, bill_no=uuid7().hex,
            amount=dice.randint(100, 9000), currency=member.wallet.currency, paid_at=paid_at,
            created_at=paid_at,
        )
        for member in members
        for _ in range(dice.choice([0, 0, 1, 2, 4]))
        if (paid_at := now - timedelta(hours=dice.randint(1, 24 * 50)))
    )  # fmt: skip
    Subscription.objects.bulk_create(
        Subscription(
            id=uuid7(), wallet=member.wallet, member=member, reference=uuid7().hex,
            service=dice.choice(["apple_music", "icloud_plus"]),
            status=dice.choice(["active", "expired"]), price=1000, currency="CNY",
            period_ends_at=now, occurred_at=now, event_reference=uuid7().hex, started_at=now,
            created_at=now,
        )
        for member in members
        if dice.random() < 0.4
    )  # fmt: skip
    MemberSession.objects.bulk_create(
        MemberSession(
            member=member, token_hash=uuid7().bytes * 2, created_at=now, device=f"device {place}",
            seen_at=now - timedelta(days=dice.randint(0, 40)), idle_until=now, expires_at=now,
        )
        for member in members
        for place in range(dice.randint(0, 5))
    )  # fmt: skip
    MemberTag.objects.bulk_create(
        MemberTag(member=member, tag="founder", added_by="operator:x", added_at=now)
        for member in members
        if dice.random() < 0.3
    )
    for member in members:
        member.settled_at = now  # type: ignore[attr-defined]
    return members
