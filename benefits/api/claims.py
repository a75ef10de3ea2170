"""Claims that a partner asked for: grant, read, list."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from rest_framework import serializers

from benefits import queries, rules
from benefits.api.benefits import API_KINDS, get_assigned_benefit
from benefits.errors import SoldOut
from benefits.models import Benefit, Claim, Code, Release
from benefits.services.claims import claim_benefit
from zone.core import clock
from zone.core.errors import NotFound
from zone.core.ids import public_id_of
from zone.members.models import Member
from zone.members.services.partner_members import get_partner_member, list_partner_ids
from zone.partners import limiter
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import (
    IdField,
    InstantField,
    MetadataField,
    ReferenceField,
    StrictSerializer,
    TrueFalseField,
)
from zone.partners.models import Partner
from zone.partners.objects import Shape, constant, list_of
from zone.partners.paging import CreatedQuery, filter_created, list_page
from zone.partners.services.events import record_event
from zone.partners.services.references import name_object, reserve_reference

REFERENCE_KIND = "claim"
STATUSES = [
    "pending",
    "granted",
    "redeemed",
    "failed",
    "expired",
    "revoked",
    "returned",
    "gifted",
]
_MASK = "\N{BULLET}" * 6
_REVOKED = (Claim.State.REVOKED,)


class ClaimInput(StrictSerializer):
    """Who gets what, under which reference of yours."""

    member = IdField("mbr")
    benefit = IdField("ben")
    external_id = ReferenceField()
    pay_with_credits = TrueFalseField(default=True)
    metadata = MetadataField(required=False)


class BenefitSummary(Shape):
    """Enough to show a claim without reading its benefit."""

    kind = serializers.ChoiceField(choices=API_KINDS)
    title = serializers.CharField()


class ClaimObject(Shape):
    """A member's own unit of a benefit. The code is masked; only reveal shows it."""

    object = constant("claim")
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    external_id = serializers.CharField()
    member = serializers.CharField()
    benefit = serializers.CharField()
    benefit_summary = BenefitSummary()
    status = serializers.ChoiceField(choices=STATUSES)
    code_masked = serializers.CharField(allow_null=True)
    price_credits = serializers.IntegerField(min_value=0)
    credit_entry = serializers.CharField(allow_null=True)
    valid_from = InstantField(allow_null=True)
    valid_until = InstantField(allow_null=True)
    granted_at = InstantField(allow_null=True)
    redeemed_at = InstantField(allow_null=True)
    revoked_at = InstantField(allow_null=True)
    failure_code = serializers.CharField(allow_null=True)
    metadata = MetadataField()
    created_at = InstantField()
    updated_at = InstantField()


ClaimList = list_of(ClaimObject)


class ClaimQuery(CreatedQuery):
    member = IdField("mbr", required=False)
    benefit = IdField("ben", required=False)
    status = serializers.ChoiceField(choices=STATUSES, required=False)
    external_id = ReferenceField(required=False)


def own_claims(*, partner: Partner, livemode: bool) -> QuerySet[Claim]:
    """The claims this partner asked for in this mode: every read of one starts here."""
    last_four = Code.objects.filter(release_id=OuterRef("release_id"), slot=OuterRef("slot"))
    return (
        Claim.objects.filter(partner_id=partner.pk, livemode=livemode)
        .select_related("benefit")
        .prefetch_related("benefit__texts")
        .annotate(last_four=Subquery(last_four.values("last_four")[:1]))
    )


def status_filter(status: str, *, now: datetime) -> Q:
    """Claims that show `status` at `now`: an end counts from its instant, swept or not."""
    is_over = Q(state=Claim.State.GRANTED, valid_until__lte=now)
    if status == "expired":
        return Q(state=Claim.State.EXPIRED) | is_over
    if status == "granted":
        return Q(state=Claim.State.GRANTED) & ~Q(valid_until__lte=now)
    return Q(state=Claim.State.RESERVED if status == "pending" else status)


def shown_status(claim: Claim, *, now: datetime) -> str:
    """The status of `status_filter`, for one claim."""
    if claim.state == Claim.State.RESERVED:
        return "pending"
    is_over = claim.valid_until is not None and claim.valid_until <= now
    if claim.state == Claim.State.GRANTED and is_over:
        return "expired"
    return str(claim.state)


def present_claims(
    claims: list[Claim], *, partner: Partner, livemode: bool, now: datetime
) -> list[dict[str, Any]]:
    """Claims as the API shows them to `partner`; one query more for any number."""
    member_ids = [claim.member_id for claim in claims]
    ids = list_partner_ids(partner=partner, livemode=livemode, member_ids=member_ids)
    return [_present(claim, ids[claim.member_id], now=now) for claim in claims]


def _present(claim: Any, member_public_id: str, *, now: datetime) -> dict[str, Any]:
    text = claim.benefit.text()
    has_code = claim.last_four and claim.granted_at
    facts = {
        "object": "claim",
        "id": claim.public_id,
        "livemode": claim.livemode,
        "external_id": claim.external_id,
        "member": member_public_id,
        "benefit": claim.benefit.public_id,
        "benefit_summary": {
            "kind": claim.benefit.kind_facts.api_kind,
            "title": text.title if text else claim.benefit.slug,
        },
        "status": shown_status(claim, now=now),
        "code_masked": f"{_MASK}{claim.last_four}" if has_code else None,
        "price_credits": claim.price_credits,
        "credit_entry": public_id_of("cen", claim.op_id) if claim.price_credits else None,
        "valid_from": claim.valid_from,
        "valid_until": claim.valid_until,
        "granted_at": claim.granted_at,
        "redeemed_at": claim.redeemed_at,
        "revoked_at": claim.ended_at if claim.state in _REVOKED else None,
        "failure_code": claim.failure_code or None,
        "metadata": claim.metadata or {},
        "created_at": claim.created_at,
        "updated_at": claim.updated_at,
    }
    return dict(ClaimObject(facts).data)


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
        release=_release_of(benefit, now=now),
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


def _release_of(benefit: Benefit, *, now: datetime) -> Release:
    """The release a call that names only a benefit gets; without one, why there is none."""
    release = queries.find_open_release(benefit, now=now)
    if release is None:
        raise rules.find_window_refusal(benefit=benefit, release=None, now=now) or SoldOut()
    return release


def _read(call: Call, public_id: str, *, now: datetime) -> dict[str, Any]:
    claim = own_claims(partner=call.partner, livemode=call.livemode).get(public_id=public_id)
    return _show(call, [claim], now=now)[0]


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
