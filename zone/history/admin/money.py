"""Charges and refunds for support: looked up, never changed by hand."""

from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from zone.core.ids import uuid_of
from zone.core.money import format_money
from zone.history.models import Charge, ChargeKey, ChargeLine, Refund
from zone.members.admin.base import ReadOnlyAdmin


def key_in(text: str) -> UUID | None:
    """The key inside a pasted public id."""
    try:
        return uuid_of(text.strip())
    except ValueError:
        return None


class MoneyAdmin(ReadOnlyAdmin):
    """Newest first by key; searched by what people paste: our id, the wallet's number, a member."""

    list_per_page = 50
    show_full_result_count = False
    ordering = ["-id"]
    list_select_related = ["member", "wallet"]
    list_filter = ["wallet"]
    search_help_text = _("Transaction id, transaction number, or member id")
    # The fields that search reads; `get_search_results` looks each up by its own index.
    search_fields = ["=id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.startswith("mbr_"):
            return queryset.filter(member__public_id=term), False
        if term.startswith("txn_"):
            return queryset.filter(id=key_in(term)), False
        return queryset.filter(id__in=self.keys_of(term)), False

    def keys_of(self, number: str) -> list[UUID]:
        raise NotImplementedError

    @admin.display(description=_("transaction"))
    def transaction(self, row: Charge | Refund) -> str:
        return row.public_id

    @admin.display(description=_("amount"), ordering="amount")
    def money(self, row: Charge | Refund) -> str:
        return format_money(row.amount, row.currency, "en")


@admin.register(Charge)
class ChargeAdmin(MoneyAdmin):
    list_display = [
        "transaction", "paid_at", "member", "wallet", "money", "refunded_money", "status",
        "credits_earned",
    ]  # fmt: skip
    exclude = ["earn_op_id"]
    readonly_fields = ["transaction", "lines_table", "refunds_table"]

    def keys_of(self, number: str) -> list[UUID]:
        found = ChargeKey.objects.filter(bill_no=number).values_list("row_id", flat=True)
        return [key for key in found if key]

    @admin.display(description=_("refunded"))
    def refunded_money(self, charge: Charge) -> str:
        return format_money(charge.refunded, charge.currency, "en") if charge.refunded else "–"

    @admin.display(description=_("lines"))
    def lines_table(self, charge: Charge) -> SafeString | str:
        lines = ChargeLine.objects.filter(charge=charge)
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (line.service, line.title, format_money(line.amount, charge.currency, "en"))
                for line in lines
            ),
        )
        return format_html("<table>{}</table>", rows) if rows else "–"

    @admin.display(description=_("refunds"))
    def refunds_table(self, charge: Charge) -> SafeString | str:
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    refund.refunded_at.isoformat(),
                    refund.public_id,
                    format_money(refund.amount, refund.currency, "en"),
                )
                for refund in charge.refunds.order_by("id")
            ),
        )
        return format_html("<table>{}</table>", rows) if rows else "–"


@admin.register(Refund)
class RefundAdmin(MoneyAdmin):
    list_display = ["transaction", "refunded_at", "member", "wallet", "money", "state", "bill_no"]
    list_filter = ["state", "wallet"]
    raw_id_fields = ["charge"]

    def keys_of(self, number: str) -> list[UUID]:
        charges = ChargeKey.objects.filter(bill_no=number, row_id__isnull=False)
        keys = Refund.objects.filter(charge_id__in=charges.values("row_id"))
        return list(keys.values_list("id", flat=True))
