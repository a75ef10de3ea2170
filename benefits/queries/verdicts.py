"""Rules and one member: the same verdict for a card, the partner API, support and the claim."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from benefits import errors, rules
from benefits.conditions.kinds import read_leaf
from benefits.conditions.leaves import Leaf, Spent, Step, Timeless
from benefits.conditions.snapshot import Snapshot, take_snapshot
from benefits.conditions.tree import Group, Verdict, judge, read_tree
from benefits.models import Benefit, Bundle, BundleItem, RuleVersion
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


@dataclass(frozen=True, slots=True)
class WithItsBundle(Timeless):
    """Had with the others of its bundle or not at all."""

    source: ClassVar[str] = ""
    reason: ClassVar[str] = "bundle_only"

    def holds(self, member: Snapshot) -> bool:
        return False

    def explain(self, member: Snapshot) -> str:
        return _("This one comes only together with the others of its bundle.")

    def step(self, member: Snapshot) -> Step | None:
        return None


def _bundle_leaves(
    benefits: Iterable[Benefit], within: Bundle | None
) -> dict[int, list[Group | Leaf]]:
    """What the bundles in force ask for each benefit: the steps of ladders, and to come whole."""
    asked: dict[int, list[Group | Leaf]] = {}
    items = BundleItem.objects.filter(
        benefit__in=list(benefits),
        bundle__is_active=True,
        bundle__kind__in=[Bundle.Kind.LADDER, Bundle.Kind.ALL],
    ).select_related("bundle")
    for item in items.order_by("bundle_id"):
        bundle = item.bundle
        if bundle.kind == Bundle.Kind.LADDER and item.least_spent:
            leaf: Leaf = Spent(item.least_spent, bundle.currency, bundle.spent_days or 0)
            asked.setdefault(item.benefit_id, []).append(leaf)
        elif bundle.kind == Bundle.Kind.ALL and (within is None or within.pk != bundle.pk):
            asked.setdefault(item.benefit_id, []).append(WithItsBundle())
    return asked


def read_verdicts(
    *,
    member: Member,
    benefits: Iterable[Benefit],
    now: datetime,
    everything: bool = False,
    within: Bundle | None = None,
) -> dict[int, Verdict]:
    """The verdict on each benefit that has a rule, by its key; `everything`: on each benefit.

    A bundle's ladder is a rule too; `within` is the bundle that is being claimed as a whole. Two
    queries for the rules and at most one per source, whatever the number of benefits.
    """
    benefits = list(benefits)
    newest = {
        version.benefit_id: version
        for version in RuleVersion.objects.filter(benefit__in=benefits)
        .order_by("benefit_id", "-version")
        .distinct("benefit_id")
    }
    steps = _bundle_leaves(benefits, within)
    rules = {
        benefit.pk: _with_leaves(
            whole_rule(benefit, version.tree if version else {}), steps.get(benefit.pk, [])
        )
        for benefit in benefits
        if ((version := newest.get(benefit.pk)) is not None and version.tree)
        or everything
        or benefit.pk in steps
    }
    if not rules:
        return {}
    sources = set().union(*(rule.sources for rule in rules.values()))
    snapshot = take_snapshot(member, sources=sources, now=now)
    return {key: judge(rule, snapshot) for key, rule in rules.items()}


def _with_leaves(rule: Group, leaves: list[Group | Leaf]) -> Group:
    return Group(needs_all=True, parts=(*rule.parts, *leaves)) if leaves else rule


def find_standing_refusal(
    *, member: Member, benefit: Benefit, standing: Standing, within: Bundle | None = None
) -> ZoneError | None:
    """Why the benefit's rule keeps this member out, or None; reads only what the rule looks at."""
    version = get_rule(standing)
    leaves: list[Group | Leaf] = []
    if standing.has_bundle_rule:
        leaves = _bundle_leaves([benefit], within).get(benefit.pk, [])
    if not leaves and (version is None or not version.tree):
        return None
    rule = _with_leaves(whole_rule(benefit, version.tree if version else {}), leaves)
    snapshot = take_snapshot(member, sources=rule.sources, now=standing.now)
    return refusal_of(judge(rule, snapshot))


def find_rule_refusal(
    *, member: Member, benefit: Benefit, now: datetime, within: Bundle | None = None
) -> ZoneError | None:
    """Why the benefit's rule keeps this member out, or None."""
    verdicts = read_verdicts(member=member, benefits=[benefit], now=now, within=within)
    return refusal_of(verdicts.get(benefit.pk))


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
