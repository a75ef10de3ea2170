"""The catalogue as a partner may read it: what is assigned to it, in its key's mode."""

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Q, QuerySet, Value, When
from rest_framework import serializers

from benefits import queries
from benefits.errors import LimitReached, SoldOut
from benefits.models import Benefit, Release
from benefits.models.kinds import KINDS
from benefits.shapes import API_KINDS
from credits.queries import get_balance
from zone.core import clock
from zone.core.errors import NotFound, ZoneError
from zone.members.models import Member, Wallet
from zone.members.services.partner_members import get_partner_member
from zone.partners.catalogue import LIMIT_FORMAT
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import IdField, InstantField, StrictSerializer
from zone.partners.objects import Shape, constant, list_of
from zone.partners.paging import ListQuery, list_page

STATUSES = ["scheduled", "live", "paused", "ended"]


class Limits(Shape):
    """How often one member may have it; null where nothing is set."""

    per_member = serializers.IntegerField(min_value=1)
    per_day = serializers.IntegerField(min_value=1, allow_null=True)


class BenefitObject(Shape):
    """A benefit assigned to the partner. `stock` is a word: exact figures are not published."""

    object = constant("benefit")
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    kind = serializers.ChoiceField(choices=API_KINDS)
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    starts_at = InstantField()
    ends_at = InstantField(allow_null=True)
    price_credits = serializers.IntegerField(min_value=0)
    stock = serializers.ChoiceField(choices=["plenty", "some", "few", "none", "unlimited"])
    limits = Limits()
    requires_binding = serializers.BooleanField()
    storefronts = serializers.ListField(child=serializers.CharField())
    redeemed_by = serializers.ChoiceField(choices=["provider", "partner"])
    claim_valid_for = serializers.CharField(allow_null=True)
    terms_version = serializers.CharField()
    updated_at = InstantField()


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


def assigned_benefits(call: Call, *, now: datetime) -> QuerySet[Any]:
    """What this partner may see in its key's mode, each with `shown_status`."""
    is_over = (
        Q(status=Benefit.Status.ENDED) | Q(visible_until__lte=now) | Q(claimable_until__lte=now)
    )
    is_early = Q(claimable_from__gt=now) | Q(visible_from__gt=now)
    return Benefit.objects.filter(
        livemode=call.livemode,
        partner_ids__contains=[call.partner.pk],
        status__in=[*Benefit.SHOWN_STATUSES, Benefit.Status.ENDED],
    ).annotate(
        shown_status=Case(
            When(is_over, then=Value("ended")),
            When(status=Benefit.Status.PAUSED, then=Value("paused")),
            When(is_early, then=Value("scheduled")),
            default=Value("live"),
            output_field=CharField(),
        )
    )


def get_assigned_benefit(call: Call, public_id: str, *, now: datetime) -> Benefit:
    """Raises NotFound, equally for a foreign, an unassigned and an unknown benefit."""
    rows = assigned_benefits(call, now=now)
    benefit: Benefit | None = rows.filter(public_id=public_id).first()
    if benefit is None:
        raise NotFound
    return benefit


def present_benefits(benefits: list[Benefit], *, now: datetime) -> list[dict[str, Any]]:
    """Benefits as the API shows them, in four queries for any number."""
    ids = [benefit.pk for benefit in benefits]
    read: dict[int, Any] = queries.with_reading(
        Benefit.objects.filter(pk__in=ids), now=now
    ).in_bulk()
    releases = [release for benefit in read.values() for release in benefit.current_releases]
    left = queries.count_left([release.pk for release in releases], now=now)
    return [_present(benefit, read[benefit.pk], left, now=now) for benefit in benefits]


def _present(benefit: Any, read: Any, left: dict[int, int], *, now: datetime) -> dict[str, Any]:
    release: Release | None = queries.pick_release(read.current_releases, left, now=now)
    text = read.text()
    units = left.get(release.pk, 0) if release else 0
    facts = {
        "object": "benefit",
        "id": benefit.public_id,
        "livemode": benefit.livemode,
        "kind": benefit.kind_facts.api_kind,
        "title": text.title if text else benefit.slug,
        "status": benefit.shown_status,
        "starts_at": benefit.claimable_from or benefit.visible_from,
        "ends_at": benefit.claimable_until or benefit.visible_until,
        "price_credits": release.price_credits if release else benefit.price_credits,
        "stock": queries.stock_band(units, release.stock if release else 0),
        "limits": {
            "per_member": release.per_member if release else benefit.per_member,
            "per_day": None,
        },
        "requires_binding": benefit.requires_binding,
        "storefronts": benefit.storefronts,
        "redeemed_by": "partner" if benefit.kind == "partner_perk" else "provider",
        "claim_valid_for": f"P{benefit.valid_days}D" if benefit.valid_days else None,
        "terms_version": benefit.terms_version,
        "updated_at": benefit.updated_at,
    }
    return dict(BenefitObject(facts).data)


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
    refusal = find_refusal(benefit, known.member, now=now)
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
    }
    return Answer(200, dict(EligibilityObject(facts).data))


def find_refusal(benefit: Benefit, member: Member, *, now: datetime) -> ZoneError | None:
    """What a claim of this member would be refused with at `now`, or None."""
    read = list(queries.with_reading(Benefit.objects.filter(pk=benefit.pk), now=now))
    available = get_balance(member).available
    card = queries.make_cards(read, member=member, available=available, now=now, language="")[0]
    if card.state == "claimable":
        return None
    if card.state == "owned" and card.release is not None:
        return LimitReached(limit=card.release.per_member)
    return card.refusal or SoldOut()
