"""Using a claim at a partner: asking whether it works, using it, taking the use back."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from benefits.api.claims import own_claims, show_claim
from benefits.errors import AlreadyRedeemed, ClaimNotUsable, ClaimPending, CodeNotUsable
from benefits.models import Claim, Code, Redemption
from benefits.services import pools, redemptions
from benefits.services.endings import REVOKE_REASONS, revoke_claim
from benefits.services.redemptions import Order
from benefits.shapes import Amount, ClaimObject, RedemptionObject, present_redemption
from zone.core import clock
from zone.core.errors import NotFound, ZoneError
from zone.partners import limiter
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import (
    IdField,
    InstantField,
    ReferenceField,
    StrictSerializer,
    TextField,
    WholeNumberField,
)
from zone.partners.objects import Shape, list_of
from zone.partners.paging import CreatedQuery, list_page
from zone.partners.services.references import name_object, reserve_reference

REFERENCE_KIND = "redemption"
CODE_LETTERS_MAX = 80
_REFUSALS = ("code_not_usable", "already_redeemed", "order_not_eligible", "invalid_state")
_COUNTED = {"code_not_usable": limiter.BAD_CODES}


class AmountInput(StrictSerializer):
    """Money in minor units."""

    currency = serializers.RegexField(r"^[A-Z]{3}\Z")
    value = WholeNumberField(min_value=0, max_value=1_000_000_000_000)


class OrderInput(StrictSerializer):
    """What it is used for."""

    reference = ReferenceField()
    amount = AmountInput(required=False)
    storefront = serializers.RegexField(r"^[A-Z]{3}\Z", required=False)


class UseInput(StrictSerializer):
    """A claim by its id or by its code, and an order."""

    code = TextField(required=False, max_length=CODE_LETTERS_MAX)
    claim = IdField("clm", required=False)
    order = OrderInput(required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if ("code" in values) == ("claim" in values):
            raise serializers.ValidationError({"claim": "Send either claim or code."})
        return values


class RedeemInput(UseInput):
    external_id = ReferenceField()
    order = OrderInput()


class RollbackInput(StrictSerializer):
    """Why, and how much of a value that may be used in parts; all of it when absent."""

    reason = TextField(max_length=200)
    amount = WholeNumberField(required=False, min_value=1, max_value=1_000_000_000_000)


class RevokeClaimInput(StrictSerializer):
    reason = serializers.ChoiceField(choices=REVOKE_REASONS)
    note = TextField(required=False, max_length=200)


class UsableObject(Shape):
    """It would work now, and what it would take off."""

    usable = serializers.BooleanField()
    claim = serializers.CharField()
    discount = Amount(allow_null=True)
    valid_until = InstantField(allow_null=True)


class RedemptionQuery(CreatedQuery):
    claim = IdField("clm", required=False)
    external_id = ReferenceField(required=False)
    order_reference = ReferenceField(required=False)


RedemptionList = list_of(RedemptionObject)


def own_redemptions(call: Call) -> QuerySet[Redemption]:
    """The uses this partner made in this mode: every read of one starts here."""
    return Redemption.objects.filter(partner=call.partner, livemode=call.livemode).select_related(
        "claim"
    )


def find_usable_claim(call: Call) -> Claim:
    """The claim that was named, if this partner may use it. Raises CodeNotUsable, NotFound."""
    body = call.body
    claims = Claim.objects.filter(livemode=call.livemode).select_related("benefit")
    if "claim" in body:
        claim = claims.filter(public_id=body["claim"]).first()
        if claim is None or not _may_use(call, claim):
            raise NotFound
        return claim
    indexes = [
        pools.index_of(code, livemode=call.livemode) for code in pools.readings(body["code"])
    ]
    code = Code.objects.filter(code_index__in=indexes).first()
    found = (
        claims.filter(release_id=code.release_id, slot=code.slot, holds_slot=True).first()
        if code is not None
        else None
    )
    if found is None or not _may_use(call, found):
        raise CodeNotUsable
    return found


def _may_use(call: Call, claim: Claim) -> bool:
    return claim.partner_id == call.partner.pk or call.partner.pk in claim.benefit.partner_ids


def _public(call: Call, claim: Claim, refusal: ZoneError) -> ZoneError:
    """What this partner may know of why a claim cannot be used.

    The true reason only for a claim that it granted itself and named by id; that it was used,
    only to whoever used it. Everything else is one answer, so that codes cannot be guessed.
    """
    if isinstance(refusal, AlreadyRedeemed):
        last = claim.redemptions.filter(status=Redemption.Status.REDEEMED).order_by("-id").first()
        is_mine = last is not None and last.partner_id == call.partner.pk
        return refusal if is_mine else CodeNotUsable()
    if isinstance(refusal, ClaimPending | ClaimNotUsable):
        is_known = claim.partner_id == call.partner.pk and "claim" in call.body
        return refusal if is_known else CodeNotUsable()
    return refusal


def _order(body: dict[str, Any]) -> Order:
    order = body.get("order", {})
    amount = order.get("amount", {})
    return Order(
        reference=order.get("reference", ""),
        amount=amount.get("value"),
        currency=amount.get("currency", ""),
        storefront=order.get("storefront", ""),
    )


@operation(
    summary="Ask whether a claim can be used",
    tag="claims",
    scope="claims:redeem",
    body=UseInput,
    answers={200: UsableObject},
    policies=(limiter.VALIDATE,),
    refusals=_REFUSALS,
    counted_refusals=_COUNTED,
)
def validate_claim(call: Call) -> Answer:
    """A dry run of redeem: nothing changes. What cannot be used is 409."""
    now = clock.database_now()
    claim = find_usable_claim(call)
    try:
        discount = redemptions.find_discount(claim=claim, order=_order(call.body), now=now)
    except ZoneError as refusal:
        raise _public(call, claim, refusal) from refusal
    facts = {
        "usable": True,
        "claim": claim.public_id,
        "discount": {"currency": discount.currency, "value": discount.value} if discount else None,
        "valid_until": claim.valid_until,
    }
    return Answer(200, dict(UsableObject(facts).data))


@operation(
    summary="Use a claim",
    tag="claims",
    scope="claims:redeem",
    body=RedeemInput,
    answers={200: RedemptionObject, 201: RedemptionObject},
    is_idempotent_by_key=True,
    refusals=(*_REFUSALS, "reference_conflict"),
    counted_refusals=_COUNTED,
)
def redeem_claim(call: Call) -> Answer:
    """The claim is used for an order, whole or as far as its value and the order go.

    Your `external_id` names the use for good: sent again with the same content, also under a new
    key, it answers 200 with the use there is.
    """
    body, now = call.body, clock.database_now()
    claim = find_usable_claim(call)
    reference = {
        "partner": call.partner,
        "livemode": call.livemode,
        "kind": REFERENCE_KIND,
        "external_id": body["external_id"],
    }
    reserved = reserve_reference(
        **reference,
        member_id=claim.member_id,
        content={"claim": claim.public_id, "order": sorted(_flat(body["order"]).items())},
    )
    if not reserved.is_new:
        used = own_redemptions(call).get(public_id=reserved.object_id)
        return Answer(200, present_redemption(used))
    try:
        used = redemptions.redeem_claim(
            claim=claim,
            now=now,
            actor=call.actor,
            order=_order(body),
            partner_id=call.partner.pk,
            external_id=body["external_id"],
        )
    except ZoneError as refusal:
        raise _public(call, claim, refusal) from refusal
    name_object(**reference, object_id=used.public_id)
    return Answer(201, present_redemption(used))


def _flat(order: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in order.items()}


@operation(
    summary="Take a use back",
    tag="claims",
    scope="claims:redeem",
    body=RollbackInput,
    answers={200: RedemptionObject},
    is_idempotent_by_key=True,
    refusals=("invalid_state",),
)
def roll_back_redemption(call: Call, redemption_id: str) -> Answer:
    """The claim is granted again, once: repeats answer with the same row."""
    used = _get_redemption(call, redemption_id)
    rolled_back = redemptions.roll_back_redemption(
        redemption=used,
        now=clock.database_now(),
        actor=call.actor,
        reason=call.body["reason"],
        amount=call.body.get("amount"),
    )
    return Answer(200, present_redemption(rolled_back))


def _get_redemption(call: Call, public_id: str) -> Redemption:
    used = own_redemptions(call).filter(public_id=public_id).first()
    if used is None:
        raise NotFound
    return used


@operation(
    summary="Read a use",
    tag="claims",
    scope="claims:read",
    answers={200: RedemptionObject},
)
def get_redemption(call: Call, redemption_id: str) -> Answer:
    """A use that this partner made."""
    return Answer(200, present_redemption(_get_redemption(call, redemption_id)))


@operation(
    summary="List uses",
    tag="claims",
    scope="claims:read",
    query=RedemptionQuery,
    answers={200: RedemptionList},
)
def list_redemptions(call: Call) -> Answer:
    """Uses that this partner made, newest first."""
    query = call.query
    rows = own_redemptions(call)
    if "created_after" in query:
        rows = rows.filter(redeemed_at__gte=query["created_after"])
    if "created_before" in query:
        rows = rows.filter(redeemed_at__lt=query["created_before"])
    if "claim" in query:
        rows = rows.filter(claim__public_id=query["claim"])
    for name in ("external_id", "order_reference"):
        if name in query:
            rows = rows.filter(**{name: query[name]})
    page = list_page(
        rows,
        query=query,
        owner=call.owner,
        present=lambda found: [present_redemption(used) for used in found],
    )
    return Answer(200, page)


@operation(
    summary="Take a claim away",
    tag="claims",
    scope="claims:revoke",
    body=RevokeClaimInput,
    answers={200: ClaimObject},
    is_idempotent_by_key=True,
    refusals=("invalid_state",),
)
def revoke_own_claim(call: Call, claim_id: str) -> Answer:
    """A granted claim of yours ends for good; from any other state it is 409."""
    claim = own_claims(partner=call.partner, livemode=call.livemode)
    row = claim.filter(public_id=claim_id).first()
    if row is None:
        raise NotFound
    now = clock.database_now()
    revoke_claim(
        claim=row,
        reason=call.body["reason"],
        note=call.body.get("note", ""),
        actor=call.actor,
        now=now,
    )
    return Answer(200, show_claim(call, claim_id, now=now))
