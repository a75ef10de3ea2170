"""Benefits as partners see them: in answers, and in events."""

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Q, QuerySet, Value, When
from rest_framework import serializers

from benefits import queries
from benefits.models import Benefit, Release
from benefits.shapes import API_KINDS
from zone.partners.fields import InstantField
from zone.partners.objects import Shape, constant

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


def with_shown_status(benefits: QuerySet[Benefit], *, now: datetime) -> QuerySet[Any]:
    """Each with `shown_status`, the word partners read."""
    is_over = (
        Q(status=Benefit.Status.ENDED) | Q(visible_until__lte=now) | Q(claimable_until__lte=now)
    )
    is_early = Q(claimable_from__gt=now) | Q(visible_from__gt=now)
    return benefits.annotate(
        shown_status=Case(
            When(is_over, then=Value("ended")),
            When(status=Benefit.Status.PAUSED, then=Value("paused")),
            When(is_early, then=Value("scheduled")),
            default=Value("live"),
            output_field=CharField(),
        )
    )


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
