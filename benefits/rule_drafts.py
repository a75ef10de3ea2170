"""A rule while it is being built in a form: raw values, moves, and the way to JSON and back.

Fields are named by their place in the tree (`r`, `r.0`, `r.0.1`), so one POST carries the whole
draft and the server keeps nothing. A button sends its move as `act`, for example `up:r.1`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _

from benefits.conditions.kinds import KINDS, BadLeaf, Input, read_leaf
from benefits.conditions.tree import DEPTH_MAX, LEAVES_MAX
from benefits.regions import is_region, no_region
from zone.core.money import EXPONENT
from zone.core.money_forms import read_money

ROOT = "r"
_WORD_BREAKS = re.compile(r"[,，、;\s]+")
_SEPARATOR = ":"

Raw = dict[str, list[str]]


@dataclass
class DraftLeaf:
    """A condition as it was typed: every value is still text."""

    kind: str
    values: Raw = field(default_factory=dict)
    fault: str = ""


@dataclass
class DraftGroup:
    needs_all: bool = True
    parts: "list[DraftGroup | DraftLeaf]" = field(default_factory=list)
    fault: str = ""


Draft = DraftGroup | DraftLeaf


def read_post(data: QueryDict) -> DraftGroup:
    """The draft that a form sends. Whatever is malformed is left out, never an error."""
    root = _read_node(data, ROOT, depth=1)
    return root if isinstance(root, DraftGroup) else DraftGroup()


def _read_node(data: QueryDict, path: str, *, depth: int) -> Draft | None:
    what = data.get(f"{path}{_SEPARATOR}is", "")
    if what in ("all", "any"):
        group = DraftGroup(needs_all=what == "all")
        while depth <= DEPTH_MAX and len(group.parts) <= LEAVES_MAX:
            part = _read_node(data, f"{path}.{len(group.parts)}", depth=depth + 1)
            if part is None:
                break
            group.parts.append(part)
        return group
    kind = KINDS.get(what)
    if kind is None:
        return None
    values = {each.name: data.getlist(f"{path}{_SEPARATOR}{each.name}") for each in kind.inputs}
    return DraftLeaf(what, values)


def from_tree(tree: Any) -> DraftGroup:
    """The draft of a rule that was read and found sound."""
    if tree == {}:
        return DraftGroup()
    node = _from_node(tree)
    return node if isinstance(node, DraftGroup) else DraftGroup(parts=[node])


def _from_node(node: Mapping[str, Any]) -> Draft:
    if "is" in node:
        kind = KINDS[node["is"]]
        values = {each.name: _as_text(each, node) for each in kind.inputs if each.name in node}
        return DraftLeaf(kind.name, values)
    needs_all = "all" in node
    parts = node["all" if needs_all else "any"]
    return DraftGroup(needs_all=needs_all, parts=[_from_node(part) for part in parts])


def _as_text(each: Input, node: Mapping[str, Any]) -> list[str]:
    value = node[each.name]
    if each.kind == "words":
        return list(value)
    if each.kind == "money":
        return [_amount_text(value, str(node.get("currency", "")))]
    return [str(value)]


def _amount_text(value: int, currency: str) -> str:
    places = EXPONENT.get(currency, 2)
    whole, rest = divmod(value, 10**places)
    return f"{whole}.{rest:0{places}d}" if rest else str(whole)


def to_tree(root: DraftGroup) -> dict[str, Any] | None:
    """The rule in JSON, or None when something is wrong; each fault stands on its own part."""
    if not root.parts:
        return {}
    node = _to_node(root)
    return None if has_faults(root) else node


def say_so_far(root: DraftGroup) -> dict[str, Any]:
    """The rule as far as it can be read, for the words beside the form."""
    return _to_node(root) if root.parts else {}


def has_faults(node: Draft) -> bool:
    if node.fault:
        return True
    return isinstance(node, DraftGroup) and any(has_faults(part) for part in node.parts)


def _to_node(node: Draft) -> dict[str, Any]:
    if isinstance(node, DraftGroup):
        if not node.parts:
            empty = _("This group is empty: add a condition, or remove it.")
            node.fault = node.fault or empty
        parts = [_to_node(part) for part in node.parts]
        return {"all" if node.needs_all else "any": parts}
    found: dict[str, Any] = {"is": node.kind}
    for each in KINDS[node.kind].inputs:
        raw = [text.strip() for text in node.values.get(each.name, []) if text.strip()]
        if raw:
            found[each.name] = _typed(each, raw, node)
    try:
        read_leaf(found)
    except BadLeaf as fault:
        node.fault = node.fault or _in_the_forms_words(node.kind, str(fault))
    return found


def _typed(each: Input, raw: list[str], node: DraftLeaf) -> Any:
    """A typed value; text that is none stays text, and reading the condition refuses it."""
    if each.kind == "words":
        if each.choices != "storefronts":
            return raw
        words = [word for text in raw for word in _WORD_BREAKS.split(text) if word]
        regions = [word.upper() for word in words]
        for region in regions:
            if not is_region(region):
                node.fault = node.fault or no_region(region)
        return regions
    if each.kind == "number":
        return int(raw[0]) if raw[0].isdecimal() and len(raw[0]) < 10 else raw[0]
    if each.kind == "money":
        currency = (node.values.get("currency") or [""])[0].strip().upper()
        try:
            return read_money(raw[0], currency)
        except ValidationError as fault:
            node.fault = " ".join(fault.messages)
            return raw[0]
    return raw[0]


def _in_the_forms_words(kind: str, fault: str) -> str:
    """The JSON reader names a value by its key; the form by its label."""
    for each in KINDS[kind].inputs:
        fault = fault.replace(f"“{each.name}”", f"“{each.label}”")
    return fault.replace(f"“{kind}”", f"“{KINDS[kind].label}”")


def act(root: DraftGroup, data: QueryDict) -> None:
    """Do what the pressed button asks: add, group, remove, up, down, out. Nonsense does nothing.

    A new condition's kind is chosen beside the button, in the group's field `new`.
    """
    verb, _sep, path = data.get("act", "").partition(_SEPARATOR)
    place = _find(root, path)
    if place is None:
        return
    above, index, node = place
    if verb in ("add", "group") and isinstance(node, DraftGroup):
        _add(root, node, verb, path, data.get(f"{path}{_SEPARATOR}new", ""))
    elif above is None:
        return
    elif verb == "remove":
        above.parts.pop(index)
    elif verb in ("up", "down"):
        other = index + (-1 if verb == "up" else 1)
        if 0 <= other < len(above.parts):
            above.parts[index], above.parts[other] = above.parts[other], above.parts[index]
    elif verb == "out":
        _move_out(root, path, above, index)


def _add(root: DraftGroup, group: DraftGroup, verb: str, path: str, kind: str) -> None:
    if verb == "group":
        if path.count(".") + 2 >= DEPTH_MAX:
            group.fault = _("Groups cannot be nested deeper than this.")
            return
        # A group inside another one asks for the other thing, or it would not be needed.
        group.parts.append(DraftGroup(needs_all=not group.needs_all))
    elif kind in KINDS:
        if _count(root) >= LEAVES_MAX:
            group.fault = _("A rule has at most %(number)s conditions.") % {"number": LEAVES_MAX}
            return
        group.parts.append(DraftLeaf(kind))


def _move_out(root: DraftGroup, path: str, above: DraftGroup, index: int) -> None:
    """Behind the group it is in, one level up."""
    found = _find(root, path.rpartition(".")[0])
    if found is None:
        return
    outer, place, _group = found
    if outer is not None:
        outer.parts.insert(place + 1, above.parts.pop(index))


def _count(node: Draft) -> int:
    return sum(map(_count, node.parts)) if isinstance(node, DraftGroup) else 1


def _find(root: DraftGroup, path: str) -> tuple[DraftGroup | None, int, Draft] | None:
    """The node at a path, with the group above it and its place there."""
    head, *steps = path.split(".")
    if head != ROOT:
        return None
    above: DraftGroup | None = None
    node: Draft = root
    index = 0
    for step in steps:
        if not isinstance(node, DraftGroup) or not step.isdecimal():
            return None
        index = int(step)
        if index >= len(node.parts):
            return None
        above, node = node, node.parts[index]
    return above, index, node
