"""Why one member can or cannot have one benefit, at one instant: for support and for operators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benefits.conditions.leaves import Step
from benefits.conditions.snapshot import Snapshot, take_snapshot
from benefits.conditions.tree import Group
from benefits.conditions.values import say_value
from benefits.conditions.words import Said, say_tree
from benefits.errors import LimitReached, RuleNotMet, SoldOut
from benefits.models import Benefit
from benefits.queries.cards import Card, make_cards
from benefits.queries.limits import Terms, read_terms
from benefits.queries.names import NameBook
from benefits.queries.stock import with_reading
from benefits.queries.verdicts import current_tree, field_nodes, whole_rule
from credits.queries import get_balance
from zone.core.errors import ZoneError
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class Judged:
    """A condition or a group with its answer for this member, and what the member has."""

    sentence: str
    holds: bool
    value: str = ""
    parts: "tuple[Judged, ...]" = ()


@dataclass(frozen=True, slots=True)
class Why:
    """What a claim would be told, and everything that decides it."""

    card: Card
    refusal: ZoneError | None
    rule: Judged
    terms: Terms | None
    available: int

    @property
    def is_yes(self) -> bool:
        return self.refusal is None

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.refusal.steps if isinstance(self.refusal, RuleNotMet) else ()


def read_card(benefit: Benefit, member: Member, *, now: datetime, language: str = "") -> Card:
    """The benefit as this member would see it at `now`, whether it is out or not."""
    found = list(with_reading(Benefit.objects.filter(pk=benefit.pk), now=now))
    available = get_balance(member).available
    return make_cards(found, member=member, available=available, now=now, language=language)[0]


def find_claim_refusal(card: Card) -> ZoneError | None:
    """What a claim of this card would be refused with, or None: one answer for every door."""
    if card.state == "claimable":
        return None
    if card.state == "owned" and card.release is not None:
        return LimitReached(limit=card.release.per_member)
    return card.refusal or SoldOut()


def explain(benefit: Benefit, member: Member, *, now: datetime, language: str = "") -> Why:
    """The verdict of the partner API's dry run, with the rule's tree and what each part saw."""
    card = read_card(benefit, member, now=now, language=language)
    tree = current_tree(benefit)
    rule = whole_rule(benefit, tree)
    snapshot = take_snapshot(member, sources=rule.sources, now=now)
    parts: list[Any] = [*field_nodes(benefit), *([tree] if tree else ())]
    said = say_tree({"all": parts} if parts else {}, NameBook())
    terms = None
    if card.release is not None:
        chosen = [(card.benefit, card.release)]
        terms = read_terms(member=member, chosen=chosen, now=now)[benefit.pk]
    return Why(
        card=card,
        refusal=find_claim_refusal(card),
        rule=_judge(said, rule, snapshot),
        terms=terms,
        available=get_balance(member).available,
    )


def _judge(said: Said, rule: Any, snapshot: Snapshot) -> Judged:
    """Words and rule, walked together: both come from the same JSON, part by part."""
    if not isinstance(rule, Group):
        # A rule of one condition is said as a group of one.
        return Judged(said.sentence, rule.holds(snapshot), say_value(rule, snapshot))
    if not rule.parts:
        return Judged(said.sentence, True)
    # A tree that is one condition is read as a group around it; words know no such group.
    pairs = zip(said.parts, rule.parts, strict=True)
    parts = tuple(
        _judge(words, _unwrapped(part) if not words.parts else part, snapshot)
        for words, part in pairs
    )
    return Judged(said.sentence, rule.holds(snapshot), parts=parts)


def _unwrapped(part: Any) -> Any:
    if isinstance(part, Group) and len(part.parts) == 1:
        return _unwrapped(part.parts[0])
    return part
