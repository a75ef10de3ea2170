"""Filling lists of members, and giving a segment its rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from benefits.conditions.membership import InSegment
from benefits.conditions.tree import read_tree
from benefits.models import Segment, SegmentMember, SegmentWatch
from benefits.rule_errors import SegmentIsList, SegmentIsLive, SegmentRuleRefused
from benefits.services.live_segments import enter, leave
from zone.core.nudge import nudge
from zone.members.models import Member

BATCH_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class FillReport:
    """What became of an upload's lines. `missing`: lines that name nobody."""

    added: int
    known: int
    removed: int
    missing: list[str]


def add_members(
    *,
    segment: Segment,
    public_ids: Iterable[str],
    actor: str,
    now: datetime,
    members: QuerySet[Member] | None = None,
) -> FillReport:
    """Put members on a list by their ids; with `members`, none but those are found. Safe to repeat: a second time adds nobody.

    Raises SegmentIsLive.
    """
    found, missing = _find(public_ids, members)
    with transaction.atomic():
        held = _hold_list(segment)
        added = sum(len(enter(held, part, cause=actor, now=now)) for part in _parts(found))
        held.save(update_fields=["updated_at"])
    return FillReport(added, len(found) - added, 0, missing)


def remove_members(
    *,
    segment: Segment,
    public_ids: Iterable[str],
    actor: str,
    now: datetime,
    members: QuerySet[Member] | None = None,
) -> FillReport:
    """Take members off a list by their ids; who is not on it stays off. Raises SegmentIsLive."""
    found, missing = _find(public_ids, members)
    with transaction.atomic():
        held = _hold_list(segment)
        removed = sum(len(leave(held, part, cause=actor, now=now)) for part in _parts(found))
        held.save(update_fields=["updated_at"])
    return FillReport(0, len(found) - removed, removed, missing)


def replace_members(
    *,
    segment: Segment,
    public_ids: Iterable[str],
    actor: str,
    now: datetime,
    members: QuerySet[Member] | None = None,
) -> FillReport:
    """The list is exactly these members: others leave, in the same commit. Raises SegmentIsLive."""
    found, missing = _find(public_ids, members)
    wanted = set(found)
    with transaction.atomic():
        held = _hold_list(segment)
        inside = set(SegmentMember.objects.filter(segment=held).values_list("member_id", flat=True))
        going = _parts(sorted(inside - wanted))
        removed = sum(len(leave(held, part, cause=actor, now=now)) for part in going)
        coming = _parts(sorted(wanted - inside))
        added = sum(len(enter(held, part, cause=actor, now=now)) for part in coming)
        held.save(update_fields=["updated_at"])
    return FillReport(added, len(wanted & inside), removed, missing)


def set_segment_rule(*, segment: Segment, tree: Any, now: datetime) -> Segment:
    """A live segment follows `tree` from now on; everybody is looked at anew, in the background.

    Raises ValidationError, SegmentIsList, SegmentRuleRefused for an empty rule or one that looks at
    a live segment: segments that follow each other would never come to rest.
    """
    rule = read_tree(tree)
    if tree == {}:
        raise SegmentRuleRefused(why="{}")
    codes = {leaf.code for leaf in rule.leaves() if isinstance(leaf, InSegment)}
    live = Segment.objects.filter(code__in=codes, kind=Segment.Kind.LIVE).first()
    if live is not None:
        raise SegmentRuleRefused(why=live.code)
    with transaction.atomic():
        held = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
        if not held.is_live:
            raise SegmentIsList()
        held.tree, held.sources = tree, sorted(rule.sources - {""})
        held.walked_to, held.built_at = 0, None
        held.save(update_fields=["tree", "sources", "walked_to", "built_at", "updated_at"])
        SegmentWatch.objects.filter(segment=held).delete()
    nudge("benefits.tasks.drain_segments")
    return held


def _hold_list(segment: Segment) -> Segment:
    held = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    if held.is_live:
        raise SegmentIsLive()
    return held


def _find(
    public_ids: Iterable[str], members: QuerySet[Member] | None
) -> tuple[list[int], list[str]]:
    """Keys of the members that are named, and the lines that name nobody."""
    wanted = list(dict.fromkeys(line for line in public_ids if line))
    among = Member.objects.all() if members is None else members
    found: dict[str, int] = {}
    for start in range(0, len(wanted), BATCH_ROWS):
        part = wanted[start : start + BATCH_ROWS]
        rows = among.filter(public_id__in=part).values_list("public_id", "pk")
        found.update(dict(rows))
    return list(found.values()), [line for line in wanted if line not in found]


def _parts(keys: list[int]) -> Iterable[list[int]]:
    return (keys[start : start + BATCH_ROWS] for start in range(0, len(keys), BATCH_ROWS))
