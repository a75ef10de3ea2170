"""Rules and one member: the same verdict for a card, the partner API, support and the claim."""

from collections.abc import Iterable
from datetime import datetime

from benefits import errors, rules
from benefits.conditions.leaves import Adult, BoundFor, Leaf, StorefrontIs, WalletIs
from benefits.conditions.snapshot import take_snapshot
from benefits.conditions.tree import Group, Verdict, judge, read_tree
from benefits.models import Benefit, RuleVersion
from benefits.queries.standing import Standing, get_rule
from zone.core.errors import ZoneError
from zone.members.models import Member


def whole_rule(benefit: Benefit, version: RuleVersion | None) -> Group:
    """Everything a benefit asks of its members: what its own fields say, and its rule."""
    parts: list[Group | Leaf] = []
    if benefit.wallets:
        parts.append(WalletIs(tuple(benefit.wallets)))
    if benefit.requires_adult:
        parts.append(Adult())
    if benefit.requires_binding:
        parts.append(BoundFor(0))
    if benefit.storefronts:
        parts.append(StorefrontIs(tuple(benefit.storefronts)))
    if version is not None and version.tree:
        parts.append(read_tree(version.tree))
    return Group(needs_all=True, parts=tuple(parts))


def read_verdicts(
    *, member: Member, benefits: Iterable[Benefit], now: datetime, everything: bool = False
) -> dict[int, Verdict]:
    """The verdict on each benefit that has a rule, by its key; `everything`: on each benefit.

    One query for the rules and at most one per source, whatever the number of benefits.
    """
    benefits = list(benefits)
    newest = {
        version.benefit_id: version
        for version in RuleVersion.objects.filter(benefit__in=benefits)
        .order_by("benefit_id", "-version")
        .distinct("benefit_id")
    }
    rules = {
        benefit.pk: whole_rule(benefit, newest.get(benefit.pk))
        for benefit in benefits
        if everything or ((version := newest.get(benefit.pk)) is not None and version.tree)
    }
    if not rules:
        return {}
    sources = set().union(*(rule.sources for rule in rules.values()))
    snapshot = take_snapshot(member, sources=sources, now=now)
    return {key: judge(rule, snapshot) for key, rule in rules.items()}


def find_standing_refusal(
    *, member: Member, benefit: Benefit, standing: Standing
) -> ZoneError | None:
    """Why the benefit's rule keeps this member out, or None; reads only what the rule looks at."""
    version = get_rule(standing)
    if version is None or not version.tree:
        return None
    rule = whole_rule(benefit, version)
    snapshot = take_snapshot(member, sources=rule.sources, now=standing.now)
    return refusal_of(judge(rule, snapshot))


def find_rule_refusal(*, member: Member, benefit: Benefit, now: datetime) -> ZoneError | None:
    """Why the benefit's rule keeps this member out, or None."""
    verdict = read_verdicts(member=member, benefits=[benefit], now=now).get(benefit.pk)
    return refusal_of(verdict)


def get_member_refusal(*, member: Member, benefit: Benefit, now: datetime) -> ZoneError | None:
    """What a claim would tell this member about who may claim; None when they fit."""
    facts = rules.facts_of(member, now=now)
    return rules.find_member_refusal(benefit=benefit, facts=facts) or find_rule_refusal(
        member=member, benefit=benefit, now=now
    )


def refusal_of(verdict: Verdict | None) -> ZoneError | None:
    """An unmet verdict as a refusal."""
    if verdict is None or verdict.is_met or verdict.decisive is None:
        return None
    return errors.RuleNotMet(
        reason=verdict.decisive.reason, sentence=verdict.sentence, steps=verdict.steps or ()
    )
