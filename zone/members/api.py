"""Members as a partner may read them: no name, no phone, no wallet id."""

from rest_framework import serializers

from zone.core import clock
from zone.members.models import PartnerMember
from zone.members.services.erasures import request_erasure
from zone.members.services.partner_members import get_partner_member
from zone.members.shapes import MemberObject, present_member
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import ReferenceField, StrictSerializer
from zone.partners.objects import list_of
from zone.partners.paging import ListQuery, list_page

MemberList = list_of(MemberObject)


class EraseInput(StrictSerializer):
    """Why the member is to be forgotten."""

    reason = serializers.ChoiceField(choices=["member_request"])


class MemberQuery(ListQuery):
    external_id = ReferenceField(help_text="The partner's own reference of the member.")


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
