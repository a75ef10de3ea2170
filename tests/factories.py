"""Short functions that make what a test needs, and take what matters to it."""

from datetime import UTC, datetime
from itertools import count

from zone.members.models import Binding, Member, Wallet
from zone.members.services.identities import enrol_member

_numbers = count(1)
LONG_AGO = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)


def make_member(*, wallet: str = "ALIPAY_CN", user_id: str = "", language: str = "en") -> Member:
    """A member known to the portal, not bound."""
    member, _ = enrol_member(
        wallet=Wallet.objects.get(code=wallet),
        user_id=user_id or f"2088{next(_numbers):012d}",
        joined_at=LONG_AGO,
        language=language,
        display_name="Test",
    )
    return member


def bind(member: Member, *, at: datetime = LONG_AGO) -> Binding:
    """An active binding of `member` since `at`."""
    return Binding.objects.create(
        member=member,
        storefront=member.storefront,
        status=Binding.Status.ACTIVE,
        agreement_reference=f"AGR-TEST-{next(_numbers):06d}",
        status_occurred_at=at,
        bound_at=at,
    )
