"""A rule in plain words, in the language in force: what an operator reads back while building it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from benefits.conditions.kinds import BadLeaf, Names, say_leaf


@dataclass(frozen=True, slots=True)
class Said:
    """One condition as a sentence, or a group as its heading with its parts."""

    sentence: str
    parts: tuple["Said", ...] = ()
    is_unreadable: bool = False


def say_tree(tree: Any, names: Names) -> Said:
    """The rule as nested sentences. A part that cannot be read says so in its place."""
    if tree == {}:
        return Said(_("Everybody may claim."))
    said = _say(tree, names)
    if said.parts:
        return said
    return Said(_("All of these hold:"), (said,))


def _say(node: Any, names: Names) -> Said:
    if not isinstance(node, dict):
        return Said(_("Something that is no condition"), is_unreadable=True)
    if "is" in node:
        try:
            return Said(say_leaf(node, names))
        except BadLeaf as fault:
            return Said(str(fault), is_unreadable=True)
    needs_all = "all" in node
    parts = node.get("all" if needs_all else "any")
    if not isinstance(parts, list) or not parts:
        return Said(_("An empty group"), is_unreadable=True)
    heading = _("All of these hold:") if needs_all else _("At least one of these holds:")
    return Said(heading, tuple(_say(part, names) for part in parts))
