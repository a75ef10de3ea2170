"""The catalogue as a partner may read it: what is assigned to it, in its key's mode."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from benefits import queries
from benefits.benefit_shapes import STATUSES, BenefitObject, present_benefits, with_shown_status
from benefits.errors import again_at_of
from benefits.models import Benefit
from benefits.models.kinds import KINDS
from benefits.shapes import API_KINDS
from zone.core import clock
from zone.core.errors import NotFound
from zone.members.models import Wallet
from zone.members.services.partner_members import get_partner_member
from zone.partners.catalogue import LIMIT_FORMAT
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import IdField, InstantField, StrictSerializer
from zone.partners.objects import Shape, constant, list_of
from zone.partners.paging import ListQuery, list_page

BenefitList = list_of(BenefitObject)


class BenefitQuery(ListQuery):
    status = serializers.ChoiceField(choices=STATUSES, required=False)
    kind = serializers.ChoiceField(choices=API_KINDS, required=False)
    market = serializers.RegexField(
        r"^[A-Z]{2}\Z", required=False, help_text="ISO 3166-1 country of the wallet's market."
    )


class EligibilityInput(StrictSerializer):
    """Whose turn it would be."""

    member = IdField("mbr")


class EligibilityObject(Shape):
    """Whether a claim would be granted now; if not, the code it would be refused with."""

    object = constant("eligibility")
    benefit = serializers.CharField()
    member = serializers.CharField()
    eligible = serializers.BooleanField()
    code = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    limit = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)
    # When the next window or part opens, where that is what the member waits for.
    again_at = InstantField(allow_null=True)


def assigned_benefits(call: Call, *, now: datetime) -> QuerySet[Any]:
    """What this partner may see in its key's mode, each with `shown_status`."""
    rows = Benefit.objects.filter(
        livemode=call.livemode,
        partner_ids__contains=[call.partner.pk],
        status__in=[*Benefit.SHOWN_STATUSES, Benefit.Status.ENDED],
    )
    return with_shown_status(rows, now=now)


def get_assigned_benefit(call: Call, public_id: str, *, now: datetime) -> Benefit:
    """Raises NotFound, equally for a foreign, an unassigned and an unknown benefit."""
    rows = assigned_benefits(call, now=now)
    benefit: Benefit | None = rows.filter(public_id=public_id).first()
    if benefit is None:
        raise NotFound
    return benefit


@operation(
    summary="List benefits",
    tag="benefits",
    scope="benefits:read",
    query=BenefitQuery,
    answers={200: BenefitList},
)
def list_benefits(call: Call) -> Answer:
    """Benefits assigned to this partner, newest first."""
    now = clock.database_now()
    rows = assigned_benefits(call, now=now)
    if status := call.query.get("status"):
        rows = rows.filter(shown_status=status)
    if kind := call.query.get("kind"):
        rows = rows.filter(kind__in=[k.code for k in KINDS.values() if k.api_kind == kind])
    if market := call.query.get("market"):
        codes = list(Wallet.objects.filter(country=market).values_list("code", flat=True))
        rows = rows.filter(Q(wallets=[]) | Q(wallets__overlap=codes))
    page = list_page(
        rows,
        query=call.query,
        owner=call.owner,
        present=lambda found: present_benefits(found, now=now),
    )
    return Answer(200, page)


@operation(
    summary="Read a benefit",
    tag="benefits",
    scope="benefits:read",
    answers={200: BenefitObject},
)
def get_benefit(call: Call, benefit_id: str) -> Answer:
    """One benefit assigned to this partner."""
    now = clock.database_now()
    benefit = get_assigned_benefit(call, benefit_id, now=now)
    return Answer(200, present_benefits([benefit], now=now)[0])


@operation(
    summary="Ask whether a member could claim",
    tag="benefits",
    scope="benefits:read",
    body=EligibilityInput,
    answers={200: EligibilityObject},
)
def check_eligibility(call: Call, benefit_id: str) -> Answer:
    """A dry run: it reads what a claim would read and changes nothing.

    Stock and limits may be taken by somebody else before the claim itself.
    """
    now = clock.database_now()
    known = get_partner_member(
        partner=call.partner, livemode=call.livemode, public_id=call.body["member"]
    )
    benefit = get_assigned_benefit(call, benefit_id, now=now)
    refusal = queries.find_claim_refusal(queries.read_card(benefit, known.member, now=now))
    limit = refusal.facts.get("limit") if refusal else None
    facts = {
        "object": "eligibility",
        "benefit": benefit.public_id,
        "member": known.public_id,
        "eligible": refusal is None,
        "code": refusal.code if refusal else None,
        "reason": refusal.facts.get("reason") if refusal else None,
        "limit": LIMIT_FORMAT.format(limit) if limit else None,
        "detail": str(refusal) if refusal else None,
        "again_at": again_at_of(refusal),
    }
    return Answer(200, dict(EligibilityObject(facts).data))
