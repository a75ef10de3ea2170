"""What purchases earn, as operators edit it, and why each earned what it did."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from credits.admin.books import members_named
from credits.admin.checkin import MemberRowsAdmin
from credits.models import EarnBonus, EarnDecision, EarnEvent, EarnPolicy, EarnRule, Referral
from zone.core.ids import public_id_of, uuid_of


@admin.register(EarnRule)
class EarnRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What purchases earn. A change counts for charges credited from then on."""

    list_display = ["name", "kind", "currency", "service", "credits", "ends_at", "is_active"]
    list_filter = ["kind", "currency", "is_active"]


@admin.register(EarnBonus)
class EarnBonusAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "percent", "currency", "starts_at", "ends_at", "is_active"]
    list_filter = ["is_active"]


@admin.register(EarnPolicy)
class EarnPolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = [
        "name", "return_days", "clawback", "bonuses", "day_cap", "month_cap", "charge_cap",
        "is_active",
    ]  # fmt: skip


@admin.register(EarnDecision)
class EarnDecisionAdmin(MemberRowsAdmin):
    list_display = ["transaction", "member", "paid_on", "credits", "reason", "trimmed", "cap"]
    list_filter = ["reason"]
    exclude = ["charge_id"]
    readonly_fields = ["transaction"]

    @admin.display(description=_("transaction"))
    def transaction(self, decision: EarnDecision) -> str:
        return public_id_of("txn", decision.charge_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if term.startswith("txn_"):
            try:
                return queryset.filter(pk=uuid_of(term)), False
            except ValueError:
                return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)


@admin.register(EarnEvent)
class EarnEventAdmin(MemberRowsAdmin):
    list_display = ["member", "kind", "source", "on", "credits", "reason", "trimmed", "taken"]
    list_filter = ["kind", "reason"]


@admin.register(Referral)
class ReferralAdmin(MemberRowsAdmin):
    list_display = ["friend", "inviter", "state", "accepted_at", "settled_at"]
    list_filter = ["state"]
    list_select_related = ["friend", "inviter"]
    search_fields = ["=inviter"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Either side of it."""
        term = search_term.strip()
        if not term:
            return queryset, False
        ids = members_named(term)
        return queryset.filter(Q(inviter_id__in=ids) | Q(friend_id__in=ids)), False
