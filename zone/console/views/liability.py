"""What the programme owes its members, in credits and in money: on a page, and as CSV."""

import csv
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from credits.kinds import Funding
from credits.queries.liability import Liability, MonthLine, read_liability
from zone.console.scopes import list_wallet_codes
from zone.core.http import private
from zone.members.models import Wallet

COLUMNS = (
    "month", "wallet", "currency", "funder", "opening", "issued", "corrected", "spent",
    "taken_back", "expired", "closing", "breakage_percent", "cost_per_1000_minor",
    "liability_minor",
)  # fmt: skip


@require_GET
def liability(request: HttpRequest) -> HttpResponse:
    """Outstanding credits with what they cost now, when they end, and each month's flows."""
    read = _read(request)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Liability"),
        "member": None,  # The members' own frame: an operator is nobody's member.
        "read": read,
        "outstanding": _by_name(read.outstanding),
        "months": _by_name(read.months),
        "totals": sorted(read.totals.items()),
        "has_no_cost": any(line.per_thousand is None for line in read.outstanding),
        "may_set_costs": request.user.has_perm("credits.view_unitcost"),
        "names": {Funding.PROMOTIONAL: _("promotional"), Funding.PAID: _("paid")},
    }
    return private(render(request, "console/liability.html", context))


@require_GET
def liability_csv(request: HttpRequest) -> HttpResponse:
    """The months of the page, line by line, with the same numbers."""
    read = _read(request)
    answer = private(HttpResponse(content_type="text/csv; charset=utf-8"))
    answer["Content-Disposition"] = f'attachment; filename="liability-{read.as_of:%Y-%m-%d}.csv"'
    table = csv.writer(answer)
    table.writerow(COLUMNS)
    table.writerows(_cells(line) for line in read.months)
    return answer


def _read(request: HttpRequest) -> Liability:
    if not request.user.has_perm("credits.view_account"):
        raise PermissionDenied
    return read_liability(list_wallet_codes(request.user))


def _by_name(lines: Iterable[Any]) -> list[tuple[str, Any]]:
    """Each line with the name its wallet goes by."""
    names = {wallet.pk: wallet.local_name for wallet in Wallet.objects.all()}
    return [(names.get(line.wallet, line.wallet), line) for line in lines]


def _cells(line: MonthLine) -> list[object]:
    return [
        f"{line.starts_on:%Y-%m}", line.wallet, line.currency, line.funder.name.lower(),
        line.opening, line.issued, line.corrected, line.spent, line.taken_back, line.expired,
        line.closing, "" if line.breakage is None else line.breakage,
        "" if line.per_thousand is None else line.per_thousand,
        "" if line.cost is None else line.cost,
    ]  # fmt: skip
