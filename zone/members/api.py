"""Members as a partner may read them: no name, no phone, no wallet id."""

from typing import Any

from rest_framework import serializers

from zone.core import clock
from zone.members.models import Member, PartnerMember
from zone.members.queries import has_active_binding
from zone.members.services.erasures import request_erasure
from zone.members.services.partner_members import get_partner_member
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import InstantField, MetadataField, ReferenceField, StrictSerializer
from zone.partners.objects import Shape, constant, list_of
from zone.partners.paging import ListQuery, list_page

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


MemberList = list_of(MemberObject)


class EraseInput(StrictSerializer):
    """Why the member is to be forgotten."""

    reason = serializers.ChoiceField(choices=["member_request"])


class MemberQuery(ListQuery):
    external_id = ReferenceField(help_text="The partner's own reference of the member.")


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


@operation(
    summary="Read a member",
    tag="members",
    scope="members:read",
    answers={200: MemberObject},
)
def get_member(call: Call, member_id: str) -> Answer:
    """The member whom this partner knows by this id."""
    known = get_partner_member(partner=call.partner, livemode=call.livemode, public_id=member_id)
    return Answer(200, present_member(known))


@operation(
    summary="Find a member by your reference",
    tag="members",
    scope="members:read",
    query=MemberQuery,
    answers={200: MemberList},
)
def list_members(call: Call) -> Answer:
    """The member that your `external_id` names, or an empty list."""
    rows = PartnerMember.objects.filter(
        partner=call.partner, livemode=call.livemode, external_id=call.query["external_id"]
    ).select_related("member__wallet")
    page = list_page(
        rows,
        query=call.query,
        owner=call.owner,
        present=lambda found: [present_member(known) for known in found],
    )
    return Answer(200, page)


@operation(
    summary="Erase a member",
    tag="members",
    scope="members:write",
    body=EraseInput,
    answers={202: MemberObject},
    is_idempotent_by_key=True,
    refusals=("member_erased",),
)
def erase_member(call: Call, member_id: str) -> Answer:
    """The member is forgotten after fifteen days, in which they may call it off."""
    known = get_partner_member(partner=call.partner, livemode=call.livemode, public_id=member_id)
    request_erasure(member=known.member, by=call.actor, now=clock.database_now())
    return Answer(202, present_member(known))
