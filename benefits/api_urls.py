"""This room's part of /api/v1."""

from django.urls import path

from benefits.api import benefits, claims, holds, redemptions, reports
from zone.partners.resources import resource

urlpatterns = [
    path("benefits", resource(get=benefits.list_benefits)),
    path("benefits/<str:benefit_id>", resource(get=benefits.get_benefit)),
    path("benefits/<str:benefit_id>/eligibility", resource(post=benefits.check_eligibility)),
    path("claims", resource(get=claims.list_claims, post=claims.grant_claim)),
    # Words before ids: an id never is one of them.
    path("claims/validate", resource(post=redemptions.validate_claim)),
    path("claims/report_code", resource(post=reports.report_bad_code)),
    path("claims/redeem", resource(post=redemptions.redeem_claim)),
    path("claims/<str:claim_id>/revoke", resource(post=redemptions.revoke_own_claim)),
    path("claims/<str:claim_id>", resource(get=claims.get_claim)),
    path("stock_holds", resource(post=holds.hold_stock)),
    path("stock_holds/<str:stock_hold_id>", resource(get=holds.get_stock_hold)),
    path("stock_holds/<str:stock_hold_id>/release", resource(post=holds.release_stock_hold)),
    path("redemptions", resource(get=redemptions.list_redemptions)),
    path("redemptions/<str:redemption_id>", resource(get=redemptions.get_redemption)),
    path(
        "redemptions/<str:redemption_id>/rollback",
        resource(post=redemptions.roll_back_redemption),
    ),
]
