from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from zone.core.money import format_money
from zone.history.admin.money import key_in
from zone.history.models import PricePoint, Subscription, SubscriptionEvent
from zone.members.admin.base import ReadOnlyAdmin, ReadOnlyInline

_EVENTS_SHOWN = 60


class PricePointInline(ReadOnlyInline):
    model = PricePoint
    extra = 0
    fields = ["price", "currency", "effective_at"]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ["subscription", "member", "wallet", "service", "plan", "status", "money",
                    "period_ends_at"]  # fmt: skip
    list_filter = ["status", "service", "wallet"]
    list_select_related = ["member", "wallet"]
    show_full_result_count = False
    ordering = ["-id"]
    inlines = [PricePointInline]
    readonly_fields = ["events_table"]
    search_fields = ["reference__exact"]
    search_help_text = _("Subscription id, the wallet's reference, or member id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if term.startswith("mbr_"):
            return queryset.filter(member__public_id=term), False
        key: UUID | None = key_in(term) if term.startswith("sub_") else None
        if key:
            return queryset.filter(id=key), False
        return queryset.filter(reference=term) if term else queryset, False

    @admin.display(description=_("subscription"))
    def subscription(self, row: Subscription) -> str:
        return row.public_id

    @admin.display(description=_("price"))
    def money(self, row: Subscription) -> str:
        return format_money(row.price, row.currency, "en")

    @admin.display(description=_("events"))
    def events_table(self, row: Subscription) -> SafeString | str:
        events = SubscriptionEvent.objects.filter(subscription=row).order_by("-id")[:_EVENTS_SHOWN]
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (event.occurred_at.isoformat(), event.get_status_display(), event.event_reference)
                for event in events
            ),
        )
        return format_html("<table>{}</table>", rows) if rows else "–"
