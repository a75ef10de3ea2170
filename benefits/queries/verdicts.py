"""Rules and one member: the same verdict for a card, the partner API, support and the claim."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from benefits import errors, rules
from benefits.conditions.kinds import read_leaf
from benefits.conditions.leaves import Leaf
from benefits.conditions.snapshot import take_snapshot
from benefits.conditions.tree import Group, Verdict, judge, read_tree
from benefits.models import Benefit, RuleVersion
from benefits.queries.standing import Standing, get_rule
from zone.core.errors import ZoneError
from zone.members.models import Member


def field_nodes(benefit: Benefit) -> list[dict[str, Any]]:
    """What a benefit's own fields ask of its members, as conditions in JSON."""
    nodes: list[dict[str, Any]] = []
    if benefit.wallets:
        nodes.append({"is": "wallet", "of": list(benefit.wallets)})
    if benefit.requires_adult:
        nodes.append({"is": "adult"})
    if benefit.requires_binding:
        nodes.append({"is": "bound", "days": 0})
    if benefit.storefronts:
        nodes.append({"is": "storefront", "of": list(benefit.storefronts)})
    return nodes


def whole_rule(benefit: Benefit, tree: Any) -> Group:
    """Everything a benefit asks of its members: what its own fields say, and its rule."""
    parts: list[Group | Leaf] = [read_leaf(node) for node in field_nodes(benefit)]
    if tree:
        parts.append(read_tree(tree))
    return Group(needs_all=True, parts=tuple(parts))


def current_tree(benefit: Benefit) -> Any:
    """The rule in force, as JSON; an empty object lets everybody in."""
    version = benefit.rule_versions.order_by("-version").first()
    return version.tree if version else {}


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
        benefit.pk: whole_rule(benefit, version.tree if version else {})
        for benefit in benefits
        if ((version := newest.get(benefit.pk)) is not None and version.tree) or everything
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
