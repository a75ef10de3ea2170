"""Members as partners see them: in answers, and in events written with the change."""

from typing import Any

from rest_framework import serializers

from zone.members.models import Member, PartnerMember
from zone.members.queries import has_active_binding
from zone.partners.fields import InstantField, MetadataField
from zone.partners.objects import Shape, constant

# How the API spells our languages (BCP 47).
LOCALES = {"zh-hans": "zh-CN", "zh-hant": "zh-HK", "en": "en", "fil": "fil"}


class MemberObject(Shape):
    """A member under the id that only this partner knows. After erasure the facts are null."""

    object = constant("member")
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    external_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=Member.Status.values)
    market = serializers.CharField(allow_null=True)
    locale = serializers.ChoiceField(choices=sorted(LOCALES.values()), allow_null=True)
    has_active_binding = serializers.BooleanField()
    joined_at = InstantField(allow_null=True)
    created_at = InstantField()
    updated_at = InstantField()
    metadata = MetadataField()


def _status_of(member: Member) -> str:
    is_held = member.is_frozen and member.status == Member.Status.ACTIVE
    return Member.Status.SUSPENDED.value if is_held else member.status


def present_member(known: PartnerMember) -> dict[str, Any]:
    """A member as the API shows them to the partner that `known` belongs to."""
    member = known.member
    is_erased = member.status == Member.Status.ERASED
    facts = {
        "object": "member",
        "id": known.public_id,
        "livemode": known.livemode,
        "external_id": None if is_erased else known.external_id,
        "status": _status_of(member),
        "market": None if is_erased else member.wallet.country,
        "locale": None if is_erased else LOCALES.get(member.language, "en"),
        "has_active_binding": not is_erased and has_active_binding(member),
        "joined_at": None if is_erased else member.joined_at,
        "created_at": known.created_at,
        "updated_at": max(known.updated_at, member.updated_at),
        "metadata": {} if is_erased else known.metadata,
    }
    return dict(MemberObject(facts).data)
