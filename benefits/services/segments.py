"""Filling lists of members."""

from collections.abc import Iterable
from dataclasses import dataclass

from benefits.models import Segment, SegmentMember
from zone.members.models import Member

BATCH_ROWS = 2000


@dataclass(frozen=True, slots=True)
class AddReport:
    added: int
    known: int
    missing: list[str]


def add_members(*, segment: Segment, public_ids: Iterable[str]) -> AddReport:
    """Put members on a list by their ids. Safe to repeat: a second time adds nobody."""
    wanted = list(dict.fromkeys(public_ids))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), BATCH_ROWS):
        part = wanted[start : start + BATCH_ROWS]
        rows = Member.objects.filter(public_id__in=part).values_list("public_id", "pk")
        found.update(dict(rows))
    before = segment.rows.count()
    SegmentMember.objects.bulk_create(
        (SegmentMember(segment=segment, member_id=key) for key in found.values()),
        ignore_conflicts=True,
        batch_size=BATCH_ROWS,
    )
    added = segment.rows.count() - before
    segment.save(update_fields=["updated_at"])
    missing = [public_id for public_id in wanted if public_id not in found]
    return AddReport(added=added, known=len(found) - added, missing=missing)
