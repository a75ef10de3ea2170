"""What a purchase is worth: one pure function, for the real thing, the dry run and the preview."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from credits.models import EarnBonus, EarnDecision, EarnPolicy, EarnRule

Reason = EarnDecision.Reason


@dataclass(frozen=True, slots=True)
class Line:
    """What was bought at one service, in minor units."""

    service: str
    amount: int
    is_recurring: bool = False


@dataclass(frozen=True, slots=True)
class Purchase:
    """The facts that rules look at. Lines are empty when the charge does not explain itself."""

    amount: int
    currency: str
    paid_at: datetime
    paid_on: date
    lines: tuple[Line, ...] = ()
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """The facts of something that is no purchase. `subject` is what it was about: a mission's
    address; `count` is its number, of which a rule may want every seventh."""

    kind: str
    at: datetime
    on: date
    currency: str = ""
    subject: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Everything operators set, read once for a batch."""

    rules: tuple[EarnRule, ...] = ()
    bonuses: tuple[EarnBonus, ...] = ()
    policy: EarnPolicy | None = None

    @property
    def has_limits(self) -> bool:
        """Whether what one purchase earns depends on a member's others."""
        policy = self.policy
        has_caps = policy is not None and (
            policy.day_cap is not None or policy.month_cap is not None
        )
        return (
            has_caps
            or any(bonus.times_max for bonus in self.bonuses)
            or any(rule.kind == EarnRule.Kind.FIRST for rule in self.rules)
        )


@dataclass(slots=True)
class Usage:
    """What a member's earlier purchases have used up: credits by day, and bonuses by day."""

    credits_on: dict[date, int] = field(default_factory=dict)
    bonuses_on: list[tuple[int, date]] = field(default_factory=list)

    def add(self, purchase: Purchase, worth: "Worth") -> None:
        """Count a purchase that was decided just now."""
        day = purchase.paid_on
        self.add_credits(day, worth.credits)
        self.bonuses_on += [(part.id, day) for part in worth.parts if part.kind == "bonus"]

    def add_credits(self, day: date, credits: int) -> None:
        """Count what was given on a day, for whatever it was given."""
        self.credits_on[day] = self.credits_on.get(day, 0) + credits

    def in_month(self, day: date) -> int:
        return sum(
            amount
            for on, amount in self.credits_on.items()
            if (on.year, on.month) == (day.year, day.month)
        )

    def times(self, bonus: EarnBonus, day: date) -> int:
        """How often a bonus was given in the interval that `day` is in."""
        days = [on for used, on in self.bonuses_on if used == bonus.pk]
        if bonus.times_per == EarnBonus.Interval.DAY:
            return days.count(day)
        if bonus.times_per == EarnBonus.Interval.MONTH:
            return sum((on.year, on.month) == (day.year, day.month) for on in days)
        return len(days)


@dataclass(frozen=True, slots=True)
class Part:
    """What one rule or bonus gave; `kind` is a rule's kind, or "bonus"."""

    kind: str
    id: int
    name: str
    service: str
    credits: int


@dataclass(frozen=True, slots=True)
class Worth:
    """What a purchase earns, which rules say so, and what a cap took off."""

    credits: int
    reason: str
    parts: tuple[Part, ...] = ()
    trimmed: int = 0
    cap: str = ""


def worth_of_purchase(purchase: Purchase, book: RuleBook, usage: Usage) -> Worth:
    """What `purchase` earns: rules, then bonuses, then the cap of a purchase, then of day and month.

    A purchase above its own cap earns nothing; day and month trim what is too much.
    """
    open_rules = [rule for rule in book.rules if _applies(rule, purchase)]
    parts = [*_base(open_rules, purchase), *_on_top(open_rules, purchase)]
    base = sum(part.credits for part in parts)
    if not base:
        return Worth(0, Reason.TOO_SMALL if open_rules else Reason.NO_RULE)
    parts += _bonuses(book, purchase, usage, base)
    total = sum(part.credits for part in parts)
    policy = book.policy
    if policy is not None and policy.charge_cap is not None and total > policy.charge_cap:
        return Worth(0, Reason.REJECTED, tuple(parts), trimmed=total, cap="charge")
    return _within_caps(parts, purchase.paid_on, policy, usage)


def worth_of_event(happening: Happening, book: RuleBook, usage: Usage) -> Worth:
    """What something that is no purchase earns: the best rule for it, then the caps."""
    given = [
        Part(rule.kind, rule.pk or 0, rule.name, rule.service, rule.credits)
        for rule in book.rules
        if rule.kind == happening.kind
        and rule.currency in ("", happening.currency)
        and rule.service in ("", happening.subject)
        and happening.count % rule.every == 0
        and _is_open(rule, happening.at)
    ]
    best = max(given, key=lambda part: part.credits, default=None)
    if best is None or not best.credits:
        return Worth(0, Reason.NO_RULE)
    return _within_caps([best], happening.on, book.policy, usage)


def _within_caps(
    parts: Sequence[Part], day: date, policy: EarnPolicy | None, usage: Usage
) -> Worth:
    """What of `parts` is left by the caps of day and month, which trim what is too much."""
    total = sum(part.credits for part in parts)
    if policy is None:
        return Worth(total, Reason.EARNED, tuple(parts))
    room, cap = total, ""
    for name, limit, used in (
        ("day", policy.day_cap, usage.credits_on.get(day, 0)),
        ("month", policy.month_cap, usage.in_month(day)),
    ):
        if limit is not None and max(0, limit - used) < room:
            room, cap = max(0, limit - used), name
    if not cap:
        return Worth(total, Reason.EARNED, tuple(parts))
    reason = Reason.TRIMMED if room else Reason.CAPPED
    return Worth(room, reason, tuple(parts), trimmed=total - room, cap=cap)


def _base(rules: Sequence[EarnRule], purchase: Purchase) -> list[Part]:
    """By each service's own rule where that gives more, by the best general rule for the rest."""
    plain = [rule for rule in rules if rule.kind == EarnRule.Kind.PURCHASE]
    general = [rule for rule in plain if not rule.service]
    rest, parts = purchase.amount, []
    for service, amount in _by_service(purchase.lines).items():
        own = _best([rule for rule in plain if rule.service == service], amount, service)
        if own is None:
            continue
        other = _best(general, amount, "")
        if other is None or own.credits > other.credits:
            parts.append(own)
            rest -= amount
    if rest > 0 and (remaining := _best(general, rest, "")):
        parts.append(remaining)
    return parts


def _on_top(rules: Sequence[EarnRule], purchase: Purchase) -> list[Part]:
    """The best rule for a first purchase, and for what of it renews a subscription."""
    parts: list[Part] = []
    if purchase.is_first:
        firsts = [rule for rule in rules if rule.kind == EarnRule.Kind.FIRST and not rule.service]
        if first := _best(firsts, purchase.amount, ""):
            parts.append(first)
    renewals = [rule for rule in rules if rule.kind == EarnRule.Kind.RENEWAL]
    recurring = _by_service([line for line in purchase.lines if line.is_recurring])
    for service, amount in recurring.items():
        fitting = [rule for rule in renewals if rule.service in ("", service)]
        if renewal := _best(fitting, amount, service):
            parts.append(renewal)
    return parts


def _bonuses(book: RuleBook, purchase: Purchase, usage: Usage, base: int) -> list[Part]:
    extras = [
        Part("bonus", bonus.pk, bonus.name, "", base * (bonus.percent - 100) // 100)
        for bonus in book.bonuses
        if bonus.currency in ("", purchase.currency)
        and bonus.starts_at <= purchase.paid_at < bonus.ends_at
        and purchase.amount >= bonus.minimum_amount
        and (bonus.times_max is None or usage.times(bonus, purchase.paid_on) < bonus.times_max)
    ]
    extras = [extra for extra in extras if extra.credits]
    if book.policy is not None and book.policy.bonuses == EarnPolicy.Bonuses.STACK:
        return extras
    return sorted(extras, key=lambda extra: -extra.credits)[:1]


def _best(rules: Sequence[EarnRule], amount: int, service: str) -> Part | None:
    given = [
        Part(rule.kind, rule.pk or 0, rule.name, service, credits_by(rule, amount))
        for rule in rules
        if amount >= rule.minimum_amount
    ]
    best = max(given, key=lambda part: part.credits, default=None)
    return best if best is not None and best.credits else None


def _by_service(lines: Sequence[Line]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.service] = sums.get(line.service, 0) + line.amount
    return sums


def credits_by(rule: EarnRule, amount: int) -> int:
    """`rule` applied to `amount` minor units, in whole numbers only."""
    if rule.is_flat:
        return rule.credits if amount > 0 else 0
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


def _applies(rule: EarnRule, purchase: Purchase) -> bool:
    return (
        not rule.is_for_events
        and rule.currency == purchase.currency
        and _is_open(rule, purchase.paid_at)
    )


def _is_open(rule: EarnRule, at: datetime) -> bool:
    return (rule.starts_at is None or rule.starts_at <= at) and (
        rule.ends_at is None or at < rule.ends_at
    )
