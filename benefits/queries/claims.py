"""What a member holds: claims by segment, one claim, what ends soon."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When

from benefits.models import Claim, Code
from zone.core.errors import NotFound
from zone.members.models import Member

Segment = Literal["available", "used", "expired"]

PAGE_ROWS_MAX = 50


@dataclass(frozen=True, slots=True)
class ClaimCounts:
    available: int
    used: int
    expired: int


def find_claim(*, member: Member, op_id: UUID) -> Claim | None:
    """The claim this operation made, if it made one: the first answer of a retry."""
    return (
        Claim.objects.filter(member=member, op_id=op_id)
        .select_related("benefit", "release", "terms")
        .first()
    )


def get_claim(*, member: Member, public_id: str) -> Claim:
    """A member's own claim with everything its page shows. Raises NotFound for anyone else's."""
    claim = (
        Claim.objects.filter(member=member, public_id=public_id)
        .select_related("benefit", "release__provider", "terms", "member__wallet")
        .prefetch_related("benefit__texts", "events")
        .first()
    )
    if claim is None:
        raise NotFound()
    return claim


def find_code(claim: Claim) -> Code | None:
    """The sealed code behind a claim; its last four letters may be shown, the rest is revealed."""
    return Code.objects.filter(release_id=claim.release_id, slot=claim.slot).first()


def _segment_filter(segment: Segment, now: datetime) -> Q:
    """Which of a member's claims belong to a segment; an unswept end counts as an end."""
    is_over = Q(state=Claim.State.GRANTED, valid_until__lte=now)
    if segment == "available":
        open_states = [Claim.State.RESERVED, Claim.State.GRANTED]
        return Q(state__in=open_states) & ~Q(valid_until__lte=now)
    if segment == "used":
        return Q(state=Claim.State.REDEEMED)
    ended = [
        Claim.State.EXPIRED,
        Claim.State.REVOKED,
        Claim.State.RETURNED,
        Claim.State.GIFTED,
        Claim.State.FAILED,
    ]
    return Q(state__in=ended) | is_over


def list_claims(
    *, member: Member, segment: Segment, now: datetime, before: int | None = None
) -> list[Claim]:
    """A member's claims of a segment: what ends soonest first, the past newest first."""
    claims = (
        Claim.objects.filter(_segment_filter(segment, now), member=member)
        .select_related("benefit", "ticket_entry__draw")
        .prefetch_related("benefit__texts")
        .annotate(
            # A slot that was let go may be another member's by now.
            last_four=Case(
                When(
                    holds_slot=True,
                    then=Subquery(
                        Code.objects.filter(
                            release_id=OuterRef("release_id"), slot=OuterRef("slot")
                        ).values("last_four")[:1]
                    ),
                ),
                default=Value(""),
            )
        )
    )
    if segment == "available":
        return list(claims.order_by(F("valid_until").asc(nulls_last=True), "-id")[:PAGE_ROWS_MAX])
    if before is not None:
        claims = claims.filter(pk__lt=before)
    return list(claims.order_by("-id")[:PAGE_ROWS_MAX])


def count_claims(*, member: Member, now: datetime) -> ClaimCounts:
    """How many there are in each segment, in one read of the member's own rows."""
    counts = Claim.objects.filter(member=member).aggregate(
        available=Count("id", filter=_segment_filter("available", now)),
        used=Count("id", filter=_segment_filter("used", now)),
        expired=Count("id", filter=_segment_filter("expired", now)),
    )
    return ClaimCounts(**counts)


def list_expiring(*, member: Member, now: datetime, until: datetime) -> list[Claim]:
    """The member's granted claims that end by `until`, soonest first."""
    return list(
        Claim.objects.filter(
            member=member,
            state=Claim.State.GRANTED,
            valid_until__gt=now,
            valid_until__lte=until,
        )
        .select_related("benefit")
        .prefetch_related("benefit__texts")
        .order_by("valid_until", "id")[:PAGE_ROWS_MAX]
    )
