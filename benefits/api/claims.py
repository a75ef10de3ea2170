"""Claims that a partner asked for: grant, read, list."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from benefits import queries, rules
from benefits.api.benefits import get_assigned_benefit
from benefits.errors import SoldOut
from benefits.models import Benefit, Claim, Release
from benefits.services.claims import claim_benefit
from benefits.shapes import CLAIM_STATUSES, ClaimObject, for_partners, present_claims
from zone.core import clock
from zone.core.errors import NotFound
from zone.members.models import Member
from zone.members.services.partner_members import get_partner_member
from zone.partners import limiter
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import (
    IdField,
    MetadataField,
    ReferenceField,
    StrictSerializer,
    TrueFalseField,
)
from zone.partners.models import Partner
from zone.partners.objects import list_of
from zone.partners.paging import CreatedQuery, filter_created, list_page
from zone.partners.services.events import record_event
from zone.partners.services.references import name_object, reserve_reference

REFERENCE_KIND = "claim"


class ClaimInput(StrictSerializer):
    """Who gets what, under which reference of yours."""

    member = IdField("mbr")
    benefit = IdField("ben")
    external_id = ReferenceField()
    pay_with_credits = TrueFalseField(default=True)
    metadata = MetadataField(required=False)


ClaimList = list_of(ClaimObject)


class ClaimQuery(CreatedQuery):
    member = IdField("mbr", required=False)
    benefit = IdField("ben", required=False)
    status = serializers.ChoiceField(choices=CLAIM_STATUSES, required=False)
    external_id = ReferenceField(required=False)


def own_claims(*, partner: Partner, livemode: bool) -> QuerySet[Claim]:
    """The claims this partner asked for in this mode: every read of one starts here."""
    return for_partners(Claim.objects.filter(partner_id=partner.pk, livemode=livemode))


def status_filter(status: str, *, now: datetime) -> Q:
    """Claims that show `status` at `now`: an end counts from its instant, swept or not."""
    is_over = Q(state=Claim.State.GRANTED, valid_until__lte=now)
    if status == "expired":
        return Q(state=Claim.State.EXPIRED) | is_over
    if status == "granted":
        return Q(state=Claim.State.GRANTED) & ~Q(valid_until__lte=now)
    return Q(state=Claim.State.RESERVED if status == "pending" else status)


@operation(
    summary="Grant a benefit to a member",
    tag="claims",
    scope="claims:grant",
    body=ClaimInput,
    answers={200: ClaimObject, 201: ClaimObject, 202: ClaimObject},
    is_idempotent_by_key=True,
    refusals=(
        "member_suspended",
        "member_erased",
        "binding_required",
        "not_started",
        "ended",
        "paused",
        "out_of_stock",
        "limit_reached",
        "not_eligible",
        "already_chosen",
        "budget_exhausted",
        "insufficient_credits",
        "reference_conflict",
    ),
)
def grant_claim(call: Call) -> Answer:
    """One unit of the benefit for the member: 201 granted, or 202 while a provider must issue.

    Your `external_id` names the claim for good: sent again with the same content, also under a
    new key, it answers 200 with the claim there is.
    """
    body, now = call.body, clock.database_now()
    known = get_partner_member(
        partner=call.partner, livemode=call.livemode, public_id=body["member"]
    )
    benefit = get_assigned_benefit(call, body["benefit"], now=now)
    reference = {
        "partner": call.partner,
        "livemode": call.livemode,
        "kind": REFERENCE_KIND,
        "external_id": body["external_id"],
    }
    reserved = reserve_reference(
        **reference,
        member_id=known.member_id,
        content={name: body.get(name) for name in ("member", "benefit", "pay_with_credits")},
    )
    if not reserved.is_new:
        return Answer(200, _read(call, reserved.object_id, now=now))
    # Counted in the claim's own transaction: a refused claim does not use up the member's pace.
    window = limiter.count_in_database(limiter.MEMBER, f"member:{known.member_id}")
    limiter.refuse_over_limit([window])
    claim = claim_benefit(
        member=known.member,
        release=release_of(benefit, known.member, now=now),
        op_id=reserved.op_id,
        now=now,
        actor=call.actor,
        pays_with_credits=body["pay_with_credits"],
        partner_id=call.partner.pk,
        external_id=body["external_id"],
        metadata=body.get("metadata"),
    )
    name_object(**reference, object_id=claim.public_id)
    data = _read(call, claim.public_id, now=now)
    record_event(
        partner_id=call.partner.pk,
        livemode=call.livemode,
        type=f"claim.{data['status']}",
        data=data,
        at=now,
    )
    return Answer(202 if data["status"] == "pending" else 201, data)


def release_of(benefit: Benefit, member: Member, *, now: datetime) -> Release:
    """The release a call that names only a benefit gets: where one is held for the member first.

    Raises, when there is none, why.
    """
    release = queries.find_held_release(
        benefit, member=member, now=now
    ) or queries.find_open_release(benefit, now=now)
    if release is None:
        raise rules.find_window_refusal(benefit=benefit, release=None, now=now) or SoldOut()
    return release


def _read(call: Call, public_id: str, *, now: datetime) -> dict[str, Any]:
    claim = own_claims(partner=call.partner, livemode=call.livemode).get(public_id=public_id)
    return _show(call, [claim], now=now)[0]


def show_claim(call: Call, public_id: str, *, now: datetime) -> dict[str, Any]:
    """One of the partner's own claims as it is now."""
    return _read(call, public_id, now=now)


def _show(call: Call, claims: list[Claim], *, now: datetime) -> list[dict[str, Any]]:
    return present_claims(claims, partner=call.partner, livemode=call.livemode, now=now)


@operation(
    summary="Read a claim",
    tag="claims",
    scope="claims:read",
    answers={200: ClaimObject},
)
def get_claim(call: Call, claim_id: str) -> Answer:
    """A claim that this partner asked for."""
    rows = own_claims(partner=call.partner, livemode=call.livemode)
    claim = rows.filter(public_id=claim_id).first()
    if claim is None:
        raise NotFound
    now = clock.database_now()
    return Answer(200, _show(call, [claim], now=now)[0])


@operation(
    summary="List claims",
    tag="claims",
    scope="claims:read",
    query=ClaimQuery,
    answers={200: ClaimList},
)
def list_claims(call: Call) -> Answer:
    """Claims that this partner asked for, newest first."""
    query, now = call.query, clock.database_now()
    rows = filter_created(own_claims(partner=call.partner, livemode=call.livemode), query)
    if "member" in query:
        members = Member.objects.filter(
            partner_ids__partner=call.partner, partner_ids__public_id=query["member"]
        )
        rows = rows.filter(member__in=members)
    if "benefit" in query:
        rows = rows.filter(benefit__public_id=query["benefit"])
    if "status" in query:
        rows = rows.filter(status_filter(query["status"], now=now))
    if "external_id" in query:
        rows = rows.filter(external_id=query["external_id"])
    page = list_page(
        rows,
        query=query,
        owner=call.owner,
        present=lambda found: _show(call, found, now=now),
    )
    return Answer(200, page)
