"""This room's part of /api/v1."""

from django.urls import path

from benefits.api import benefits, claims
from zone.partners.resources import resource

urlpatterns = [
    path("benefits", resource(get=benefits.list_benefits)),
    path("benefits/<str:benefit_id>", resource(get=benefits.get_benefit)),
    path("benefits/<str:benefit_id>/eligibility", resource(post=benefits.check_eligibility)),
    path("claims", resource(get=claims.list_claims, post=claims.grant_claim)),
    path("claims/<str:claim_id>", resource(get=claims.get_claim)),
]
