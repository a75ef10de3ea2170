"""What the seeded Zone gives besides purchases: linking, friends, and a stamp board."""

from datetime import datetime, timedelta

from benefits.models import Benefit, StampBoard, StampChoice
from credits.models import EarnRule
from zone.members.models import Wallet

_CHOICES = 2
_COLLECTED_FOR = timedelta(days=60)
_NAMES = {"en": "Six purchases, one treat", "zh-hans": "消费六次，好礼任选"}


def set_rules() -> None:
    """Rules for linking and for friends, for every wallet; an operator changes them in the console."""
    for kind, name, said, credits in (
        ("binding", "First link", "首次绑定", 100),
        ("referral", "Friend’s first purchase", "好友首次消费", 200),
    ):
        EarnRule.objects.get_or_create(
            kind=kind,
            name=name,
            defaults={
                "names": {"zh-hans": said},
                "is_flat": True,
                "unit_amount": 1,
                "credits": credits,
            },
        )


def open_boards(now: datetime) -> int:
    """A board for each market that has free benefits to choose from; says how many."""
    opened = 0
    for wallet in Wallet.objects.filter(is_open=True):
        free = Benefit.objects.listed(now).filter(
            wallets=[wallet.code], price_credits=0, livemode=wallet.livemode,
            releases__price_credits=0, kind="app_store_coupon",
        )  # fmt: skip
        free = free.exclude(releases__price_credits__gt=0).exclude(price_rows__price_credits__gt=0)
        chosen = list(free.distinct().order_by("sort_weight", "pk")[:_CHOICES])
        if not chosen:
            continue
        board, is_new = StampBoard.objects.get_or_create(
            slug=f"six-purchases-{wallet.code.lower().replace('_', '-')}",
            defaults={
                "names": _NAMES,
                "currency": wallet.currency,
                "livemode": wallet.livemode,
                "starts_at": now - _COLLECTED_FOR,
            },
        )
        if is_new:
            for position, benefit in enumerate(chosen, start=1):
                StampChoice.objects.create(board=board, benefit=benefit, position=position)
            opened += 1
    return opened
