"""Where one member stands before one release, in one read; the release itself comes from memory.

A rush asks the same questions of the same release thousands of times a second. What is the same
for everyone is kept in this process together with the version it was read at; the one query about
the member brings the versions of this moment along, so nothing kept is ever used past a change.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from benefits.models import Release, RuleVersion
from zone.core.rows import fetch_row
from zone.members.models import Binding, Member

_KEPT_MAX = 500

STANDING_COLUMNS = """
    offered.release_id, offered.version, offered.rule_id, own.made_id, own.held, own.newest,
    offered.bundles,
    binding.id, binding.status, binding.storefront, binding.bound_at, binding.valid_until,
    zone_now()
"""
STANDING_WIDTH = 13
# Expects `member` to its left; asks for the release's public id, then the operation.
STANDING_JOIN = """
    JOIN benefits_offered offered ON offered.public_id = %s::text
    LEFT JOIN members_binding binding ON binding.member_id = member.id
        AND binding.status IN ('pending', 'active', 'suspended', 'unbinding')
    CROSS JOIN LATERAL benefits_claims_of(member.id, offered.release_id, %s::uuid) AS own
"""
_READ = f"""
    SELECT {STANDING_COLUMNS} FROM members_member member {STANDING_JOIN}
    WHERE member.id = %s::bigint
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Standing:
    """A member before a release at `now`. `held_id` is the newest claim that the limit counts."""

    release_id: int
    version: str
    rule_id: int | None
    made_id: int | None  # the claim this very operation made before
    held: int
    held_id: str | None
    bundles: str | None  # the kinds of those in force that hold the benefit
    binding: Binding | None
    now: datetime

    @property
    def has_bundle_rule(self) -> bool:
        """Whether a bundle asks something of its members before they claim."""
        return self.bundles is not None and bool({"ladder", "all"} & set(self.bundles.split()))

    @property
    def is_choice(self) -> bool:
        """Whether the member may still think better of it, until the code was seen."""
        return self.bundles is not None and bool({"pick", "apart"} & set(self.bundles.split()))


def read_standing(*, member: Member, release_public_id: str, op_id: UUID) -> Standing | None:
    """One query. None when there is no such release."""
    row = fetch_row(_READ, [release_public_id, op_id, member.pk])
    return None if row is None else build_standing(row, member=member)


def build_standing(row: tuple[Any, ...], *, member: Member) -> Standing:
    """What a row with `STANDING_COLUMNS` says."""
    (release_id, version, rule_id, made_id, held, held_id, bundles, *bound, now) = row
    binding_id, status, storefront, bound_at, valid_until = bound
    return Standing(
        release_id=release_id,
        version=version,
        rule_id=rule_id,
        made_id=made_id,
        held=held,
        held_id=held_id,
        bundles=bundles,
        binding=None
        if binding_id is None
        else Binding(
            id=binding_id,
            member_id=member.pk,
            status=status,
            storefront=storefront,
            bound_at=bound_at,
            valid_until=valid_until,
        ),
        now=now.astimezone(UTC),
    )


_releases: dict[int, tuple[str, Release]] = {}
_rules: dict[int, RuleVersion] = {}


def get_release(standing: Standing) -> Release:
    """The release with its benefit and words, from memory while its version stands.

    One object for all requests of this process: read it, never change it.
    """
    kept = _releases.get(standing.release_id)
    if kept is not None and kept[0] == standing.version:
        return kept[1]
    release = (
        Release.objects.select_related("benefit", "provider")
        .prefetch_related("benefit__texts")
        .get(pk=standing.release_id)
    )
    if len(_releases) >= _KEPT_MAX:
        _releases.clear()
    _releases[standing.release_id] = (standing.version, release)
    return release


def get_rule(standing: Standing) -> RuleVersion | None:
    """The benefit's rule in force. A version never changes, so it is read once."""
    if standing.rule_id is None:
        return None
    rule = _rules.get(standing.rule_id)
    if rule is None:
        rule = RuleVersion.objects.get(pk=standing.rule_id)
        if len(_rules) >= _KEPT_MAX:
            _rules.clear()
        _rules[standing.rule_id] = rule
    return rule
