"""What an event is worth: pure arithmetic over the rule table, no writing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from credits.models import EarnRule


@dataclass(frozen=True, slots=True)
class Worth:
    """What a purchase earns and the rule that says so; no rule, no credits."""

    credits: int
    rule: EarnRule | None


def list_purchase_rules() -> list[EarnRule]:
    """Every active rule for purchases, of all currencies and times."""
    return list(EarnRule.objects.filter(kind=EarnRule.Kind.PURCHASE, is_active=True))


def worth_of_purchase(
    *, amount: int, currency: str, paid_at: datetime, rules: Sequence[EarnRule]
) -> Worth:
    """The most that one rule gives for `amount` minor units paid at that moment."""
    best = Worth(credits=0, rule=None)
    for rule in rules:
        if rule.currency != currency or not _is_open(rule, paid_at):
            continue
        earned = credits_by(rule, amount)
        if best.rule is None or earned > best.credits:
            best = Worth(credits=earned, rule=rule)
    return best


def credits_by(rule: EarnRule, amount: int) -> int:
    """`rule` applied to `amount` minor units, in whole numbers only."""
    share = amount * rule.credits
    if rule.rounding == EarnRule.Rounding.UP:
        return -(-share // rule.unit_amount)
    if rule.rounding == EarnRule.Rounding.NEAREST:
        return (2 * share + rule.unit_amount) // (2 * rule.unit_amount)
    return share // rule.unit_amount


def owed_back(*, earned: int, amount: int, refunded: int) -> int:
    """How many of `earned` credits a purchase of `amount` loses once `refunded` of it came back.

    Rounded up, so that what stays never exceeds the share that was kept.
    """
    return -(-earned * refunded // amount) if amount else 0


def _is_open(rule: EarnRule, at: datetime) -> bool:
    return (rule.starts_at is None or rule.starts_at <= at) and (
        rule.ends_at is None or at < rule.ends_at
    )
