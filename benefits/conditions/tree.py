"""A tree of conditions: reading it strictly, judging a member, and the shortest way in.

    {"all": [{"is": "bound", "days": 30}, {"any": [{"is": "segment", "of": "vip"}, ...]}]}

An empty object is a tree that everybody fits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from benefits.conditions.kinds import BadLeaf, read_leaf
from benefits.conditions.leaves import Leaf, Step
from benefits.conditions.snapshot import Snapshot

DEPTH_MAX = 5
LEAVES_MAX = 40
PATHS_MAX = 64  # ways in that are compared; the cheapest of each branch come first
STEPS_MAX = 8


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all, or any one, must hold."""

    needs_all: bool
    parts: tuple["Group | Leaf", ...]

    def holds(self, member: Snapshot) -> bool:
        verdicts = (part.holds(member) for part in self.parts)
        return all(verdicts) if self.needs_all else any(verdicts)

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            if isinstance(part, Group):
                yield from part.leaves()
            else:
                yield part

    def changes_at(self, member: Snapshot) -> datetime | None:
        """The next instant at which time alone may change the answer; None: never."""
        found = (leaf.changes_at(member) for leaf in self.leaves())
        return min((at for at in found if at is not None), default=None)

    @property
    def sources(self) -> set[str]:
        return {leaf.source for leaf in self.leaves()}


@dataclass(frozen=True, slots=True)
class LeafVerdict:
    leaf: Leaf
    is_met: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a member fits, condition by condition, and what would let them in.

    `steps` is empty when they fit, and None when nothing they can do would help.
    """

    is_met: bool
    leaves: tuple[LeafVerdict, ...]
    steps: tuple[Step, ...] | None
    decisive: Leaf | None  # the unmet condition that is named to the member
    sentence: str


def read_tree(tree: Any) -> Group:
    """The tree in a rule's JSON. Raises ValidationError naming what is wrong, and where."""
    if tree == {}:
        return Group(needs_all=True, parts=())
    found = _read(tree, place="", depth=1)
    group = found if isinstance(found, Group) else Group(needs_all=True, parts=(found,))
    if sum(1 for _leaf in group.leaves()) > LEAVES_MAX:
        raise ValidationError(
            _("A rule has at most %(number)s conditions.") % {"number": LEAVES_MAX}
        )
    return group


def _read(node: Any, *, place: str, depth: int) -> Group | Leaf:
    where = place or "/"
    if not isinstance(node, dict):
        raise ValidationError(_("%(place)s: an object is expected.") % {"place": where})
    names = set(node)
    if "is" in names:
        try:
            return read_leaf(node)
        except BadLeaf as fault:
            raise ValidationError(f"{where}: {fault}") from fault
    if names not in ({"all"}, {"any"}):
        raise ValidationError(
            _("%(place)s: exactly one of “all”, “any” and “is” is expected.") % {"place": where}
        )
    (name,) = names
    parts = node[name]
    if not isinstance(parts, list) or not parts:
        raise ValidationError(
            _("%(place)s: “%(name)s” needs a list of conditions.") % {"place": where, "name": name}
        )
    if depth >= DEPTH_MAX:
        raise ValidationError(_("%(place)s: nested too deeply.") % {"place": where})
    return Group(
        needs_all=name == "all",
        parts=tuple(
            _read(part, place=f"{place}/{name}/{number}", depth=depth + 1)
            for number, part in enumerate(parts)
        ),
    )


def leaf_nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """The conditions in a rule's JSON, in the order in which `Group.leaves` gives them."""
    if "is" in tree:
        yield tree
    else:
        for part in tree.get("all") or tree.get("any") or ():
            yield from leaf_nodes(part)


def judge(tree: Group, member: Snapshot) -> Verdict:
    """Look at every condition once, and find the shortest way in for whoever does not fit."""
    is_met = tree.holds(member)
    leaves = tuple(
        LeafVerdict(leaf, fits := leaf.holds(member), "" if fits else leaf.explain(member))
        for leaf in tree.leaves()
    )
    if is_met:
        return Verdict(True, leaves, (), None, "")
    path = find_path(tree, member)
    if path is None:
        named = _decisive(tree, member)
        return Verdict(False, leaves, None, named, named.explain(member))
    named, steps = path
    return Verdict(False, leaves, steps, named, named.explain(member))


def _decisive(tree: Group, member: Snapshot) -> Leaf:
    """The first unmet condition nothing can be done about, else the first unmet one."""
    unmet = [leaf for leaf in tree.leaves() if not leaf.holds(member)]
    return next((leaf for leaf in unmet if leaf.step(member) is None), unmet[0])


def find_path(tree: Group, member: Snapshot) -> tuple[Leaf, tuple[Step, ...]] | None:
    """The cheapest steps after which the tree holds, with the condition they begin with.

    Every way is walked on a copy of the member before it is named: a step that undoes another
    condition, or a wait that lets a purchase grow too old, is not a way in.
    """
    best: tuple[int, Leaf, tuple[Step, ...]] | None = None
    for wanted in _ways(tree, member):
        walked = _walk(wanted, tree, member)
        if walked is None:
            continue
        weight = sum(step.weight for step in walked)
        if best is None or weight < best[0]:
            best = (weight, next(leaf for leaf in wanted if not leaf.holds(member)), walked)
    return None if best is None else best[1:]


def _ways(node: "Group | Leaf", member: Snapshot) -> list[tuple[Leaf, ...]]:
    """Sets of conditions, each of which would make the node hold if all of them held."""
    if not isinstance(node, Group):
        return [(node,)]
    below = [_ways(part, member) for part in node.parts]
    if node.needs_all:
        ways = [sum(choice, ()) for choice in _bounded_product(below)]
    else:
        ways = [way for part in below for way in part]
    return sorted(ways, key=lambda way: _rough_weight(way, member))[:PATHS_MAX]


def _bounded_product(below: list[list[tuple[Leaf, ...]]]) -> Iterator[tuple[Any, ...]]:
    """Combinations of the parts' ways; wide parts give fewer of theirs so that it stays small."""
    share = max(int(4096 ** (1 / max(sum(len(ways) > 1 for ways in below), 1))), 2)
    return product(*(ways[:share] for ways in below))


def _rough_weight(way: tuple[Leaf, ...], member: Snapshot) -> int:
    weight = 0
    for leaf in way:
        if not leaf.holds(member):
            step = leaf.step(member)
            weight += 10**6 if step is None else step.weight
    return weight


def _walk(wanted: tuple[Leaf, ...], tree: Group, member: Snapshot) -> tuple[Step, ...] | None:
    """Do what each condition asks for, binding and waiting first, until the whole tree holds."""
    steps: list[Step] = []
    while not tree.holds(member):
        asked = [leaf.step(member) for leaf in wanted if not leaf.holds(member)]
        if not asked or None in asked or len(steps) >= STEPS_MAX:
            return None
        order = {"bind": 0, "wait": 1}
        first = min((step for step in asked if step), key=lambda step: order.get(step.kind, 2))
        steps.append(first)
        member = first.after
    return tuple(steps)
