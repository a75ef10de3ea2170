"""Claims and redemptions as partners see them: in answers, and in events written with the change."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from rest_framework import serializers

from benefits.models import Claim, Code, Redemption
from benefits.models.kinds import KINDS
from zone.core.ids import public_id_of
from zone.members.services.partner_members import list_partner_ids
from zone.partners.fields import InstantField, MetadataField
from zone.partners.models import Partner
from zone.partners.objects import Shape, constant

API_KINDS = sorted({kind.api_kind for kind in KINDS.values()})
CLAIM_STATUSES = [
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
    status = serializers.ChoiceField(choices=CLAIM_STATUSES)
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


class Amount(Shape):
    """Money in minor units of its currency."""

    currency = serializers.CharField()
    value = serializers.IntegerField(min_value=0)


class OrderObject(Shape):
    """What the use was for, as the partner told it."""

    reference = serializers.CharField()
    amount = Amount(allow_null=True)
    storefront = serializers.CharField(allow_null=True)


class RedemptionObject(Shape):
    """One use of a claim. `discount` is null for a benefit without a value in money."""

    object = constant("redemption")
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    external_id = serializers.CharField()
    claim = serializers.CharField()
    status = serializers.ChoiceField(choices=Redemption.Status.values)
    order = OrderObject()
    discount = Amount(allow_null=True)
    discount_rolled_back = Amount(allow_null=True)
    redeemed_at = InstantField()
    rolled_back_at = InstantField(allow_null=True)
    rollback_reason = serializers.CharField(allow_null=True)


def for_partners(claims: QuerySet[Claim]) -> QuerySet[Claim]:
    """The same claims with everything `present_claims` reads."""
    last_four = Code.objects.filter(release_id=OuterRef("release_id"), slot=OuterRef("slot"))
    return (
        claims.select_related("benefit")
        .prefetch_related("benefit__texts")
        .annotate(last_four=Subquery(last_four.values("last_four")[:1]))
    )


def shown_status(claim: Claim, *, now: datetime) -> str:
    """The state in the API's words: `reserved` is pending, an end counts from its instant."""
    state = claim.state_at(now)
    return "pending" if state == Claim.State.RESERVED else str(state)


def present_claims(
    claims: list[Claim], *, partner: Partner, livemode: bool, now: datetime
) -> list[dict[str, Any]]:
    """Claims as the API shows them to `partner`; one query more for any number."""
    member_ids = [claim.member_id for claim in claims]
    ids = list_partner_ids(partner=partner, livemode=livemode, member_ids=member_ids)
    return [_present(claim, ids[claim.member_id], now=now) for claim in claims]


def _present(claim: Any, member_public_id: str, *, now: datetime) -> dict[str, Any]:
    text = claim.benefit.text()
    # A slot that was let go may be another member's by now.
    has_code = claim.last_four and claim.granted_at and claim.holds_slot
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


def present_redemption(redemption: Redemption) -> dict[str, Any]:
    """A redemption as the API shows it to the partner that made it."""
    has_value = redemption.discount is not None
    has_amount = redemption.order_amount is not None
    facts = {
        "object": "redemption",
        "id": redemption.public_id,
        "livemode": redemption.livemode,
        "external_id": redemption.external_id,
        "claim": redemption.claim.public_id,
        "status": redemption.status,
        "order": {
            "reference": redemption.order_reference,
            "amount": {"currency": redemption.order_currency, "value": redemption.order_amount}
            if has_amount
            else None,
            "storefront": redemption.storefront or None,
        },
        "discount": {"currency": redemption.currency, "value": redemption.discount}
        if has_value
        else None,
        "discount_rolled_back": {
            "currency": redemption.currency,
            "value": redemption.discount_back,
        }
        if has_value
        else None,
        "redeemed_at": redemption.redeemed_at,
        "rolled_back_at": redemption.rolled_back_at,
        "rollback_reason": redemption.rollback_reason or None,
    }
    return dict(RedemptionObject(facts).data)
