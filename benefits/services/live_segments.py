"""Segments that follow a rule: built once over everybody, then kept by what changed and what is due.

Each look holds the segment's row, so of two workers the later one sees what the earlier did and
the facts as they are by then. Row, event and the deleted reason to look are one commit: an event
is written when, and only when, its row came or went.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction

from benefits.conditions.snapshot import Snapshot, take_snapshots
from benefits.conditions.tree import Group, read_tree
from benefits.models import (
    Segment,
    SegmentEvent,
    SegmentMember,
    SegmentWatch,
)
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.members.models import Member

WALK_MEMBERS = 500
TOUCHES_MAX = 2_000
DRAIN_SECONDS_MAX = 60
CAUSE = "rule"


def drain_segments() -> int:
    """Walk new segments, look at whom something happened to, and at whose time has come.

    Returns how many looks were taken. Several processes may run it at once.
    """
    started, done = database_now(), 0
    while (database_now() - started).total_seconds() < DRAIN_SECONDS_MAX:
        looked = look_at_touched() + look_at_due() + sum(map(walk, _unfinished()))
        done += looked
        if not looked:
            break
    return done


def _live() -> list[Segment]:
    """Live segments, each held until the commit, in one order."""
    rows = Segment.objects.select_for_update(no_key=True).filter(kind=Segment.Kind.LIVE)
    return list(rows.order_by("pk"))


def _unfinished() -> list[Segment]:
    return list(Segment.objects.filter(kind=Segment.Kind.LIVE, walked_to__isnull=False))


def walk(segment: Segment) -> int:
    """Look at the next members of everybody, for a new rule; how many were looked at."""
    with transaction.atomic():
        held = (
            Segment.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk=segment.pk, kind=Segment.Kind.LIVE, walked_to__isnull=False)
            .first()
        )
        if held is None:
            return 0
        keys = list(
            Member.objects.filter(pk__gt=held.walked_to)
            .order_by("pk")
            .values_list("pk", flat=True)[:WALK_MEMBERS]
        )
        look(held, keys)
        held.walked_to = keys[-1] if len(keys) == WALK_MEMBERS else None
        if held.walked_to is None:
            held.built_at = database_now()
        held.save(update_fields=["walked_to", "built_at"])
        failpoint("segment_before_commit")
    return len(keys)


def look_at_touched() -> int:
    """Members to whom something happened, for the segments that look at such things."""
    with transaction.atomic():
        segments = _live()
        touches = _take_touches()
        for segment in segments:
            look(segment, {key for key, source in touches if source in _watched(segment)})
        failpoint("segment_before_commit")
    return len(touches)


def _watched(segment: Segment) -> set[str]:
    # A member's own row and binding count for every rule: status decides over all of them.
    return {*segment.sources, "member"}


def _take_touches() -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH taken AS MATERIALIZED (SELECT id FROM benefits_membertouch ORDER BY id"
            " LIMIT %s FOR UPDATE SKIP LOCKED)"
            " DELETE FROM benefits_membertouch touch USING taken WHERE touch.id = taken.id"
            " RETURNING touch.member_id, touch.source",
            [TOUCHES_MAX],
        )
        found: list[tuple[int, str]] = cursor.fetchall()
    return found


def look_at_due() -> int:
    """Members whose time has come: a purchase grew too old, a binding old enough."""
    now, looked = database_now(), 0
    with transaction.atomic():
        for segment in _live():
            due = SegmentWatch.objects.filter(segment=segment, looks_at__lte=now)
            keys = list(due.order_by("looks_at").values_list("member_id", flat=True)[:TOUCHES_MAX])
            look(segment, keys)
            looked += len(keys)
    return looked


def look(segment: Segment, member_ids: Collection[int]) -> None:
    """Bring these members' rows of the segment to what its rule says now.

    The caller's transaction holds the segment's row.
    """
    if not member_ids:
        return
    now, rule = database_now(), read_tree(segment.tree)
    members = list(Member.objects.filter(pk__in=member_ids).select_related("wallet"))
    snapshots = take_snapshots(members, sources=rule.sources, now=now)
    fitting = {
        member.pk
        for member in members
        if member.status == Member.Status.ACTIVE and rule.holds(snapshots[member.pk])
    }
    inside = set(
        SegmentMember.objects.filter(segment=segment, member_id__in=member_ids).values_list(
            "member_id", flat=True
        )
    )
    enter(segment, fitting - inside, cause=CAUSE, now=now)
    leave(segment, inside - fitting, cause=CAUSE, now=now)
    _watch(segment, rule, snapshots)


def _watch(segment: Segment, rule: Group, snapshots: dict[int, Snapshot]) -> None:
    """Note for each member when time alone may change the answer."""
    SegmentWatch.objects.filter(segment=segment, member_id__in=snapshots).delete()
    SegmentWatch.objects.bulk_create(
        SegmentWatch(segment=segment, member_id=key, looks_at=at)
        for key, snapshot in snapshots.items()
        if (at := rule.changes_at(snapshot)) is not None
    )


def enter(segment: Segment, keys: Collection[int], *, cause: str, now: datetime) -> list[int]:
    """Members enter a segment, with an event each; those who were not in it already."""
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH came AS ("
            " INSERT INTO benefits_segmentmember (segment_id, member_id, added_at)"
            " SELECT %s, member_id, %s FROM unnest(%s::bigint[]) AS member_id"
            " ON CONFLICT DO NOTHING RETURNING member_id)"
            " INSERT INTO benefits_segmentevent (segment_id, member_id, kind, cause, at)"
            " SELECT %s, member_id, %s, %s, %s FROM came RETURNING member_id",
            [
                *(segment.pk, now, sorted(keys)),
                *(segment.pk, SegmentEvent.Kind.ENTERED, cause[:80], now),
            ],
        )
        return [row[0] for row in cursor.fetchall()]


def leave(segment: Segment, keys: Collection[int], *, cause: str, now: datetime) -> list[int]:
    """Members leave a segment, with an event each; those who were in it."""
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH went AS ("
            " DELETE FROM benefits_segmentmember"
            " WHERE segment_id = %s AND member_id = ANY (%s::bigint[]) RETURNING member_id)"
            " INSERT INTO benefits_segmentevent (segment_id, member_id, kind, cause, at)"
            " SELECT %s, member_id, %s, %s, %s FROM went RETURNING member_id",
            [
                *(segment.pk, sorted(keys)),
                *(segment.pk, SegmentEvent.Kind.LEFT, cause[:80], now),
            ],
        )
        return [row[0] for row in cursor.fetchall()]


def walk_again() -> int:
    """Every live segment looks at everybody once more; how many begin. For each night.

    It finds what a change that was under way while its rule was set may have slipped past.
    """
    return (
        Segment.objects.filter(kind=Segment.Kind.LIVE, walked_to=None)
        .exclude(tree={})
        .update(walked_to=0)
    )
