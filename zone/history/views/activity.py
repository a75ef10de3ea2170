"""/activity: what Apple charged and gave back."""

from itertools import groupby
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from zone.core import clock
from zone.core.http import private, wants_partial
from zone.core.ids import instant_of
from zone.history import charts, exporting
from zone.history.forms import read_filter, read_key, write_filter
from zone.history.queries.activity import (
    PAGE_ROWS,
    ActivityFilter,
    Entry,
    find_entry,
    iterate_activity,
    list_activity,
    shift_month,
)
from zone.history.queries.spending import list_spending
from zone.members.models import Member


@require_GET
def activity(request: HttpRequest) -> HttpResponse:
    """The list with its filters and the month chart; htmx asks for the next rows alone."""
    member: Member = request.member  # type: ignore[attr-defined]
    wanted = read_filter(request.GET)
    before = read_key(request.GET.get("before", ""), "txn")
    entries = list_activity(member, wanted, before=before, limit=PAGE_ROWS + 1)
    rows, has_more = entries[:PAGE_ROWS], len(entries) > PAGE_ROWS
    zone = ZoneInfo(member.time_zone)
    context: dict[str, object] = {
        "groups": _by_day(rows, zone),
        # A page that goes on with the day of the last one does not name it again.
        "day_before": instant_of(before).astimezone(zone).date() if before else None,
        "more": write_filter(wanted, before=rows[-1].public_id) if has_more else "",
        "wanted": wanted,
    }
    if wants_partial(request) and before:
        return private(render(request, "history/_rows.html", context))
    context |= _frame(member, wanted)
    return private(render(request, "history/activity.html", {**context, "tab": "activity"}))


def _by_day(rows: list[Entry], zone: ZoneInfo) -> list[tuple[object, list[Entry]]]:
    return [
        (day, list(group))
        for day, group in groupby(rows, key=lambda entry: entry.at.astimezone(zone).date())
    ]


def _frame(member: Member, wanted: ActivityFilter) -> dict[str, object]:
    """Chips and chart. The chart shows six months up to now, or up to an older chosen one."""
    this_month = clock.now().astimezone(ZoneInfo(member.time_zone)).date().replace(day=1)
    chosen = wanted.month or this_month
    last = this_month if shift_month(this_month, -6) < chosen <= this_month else chosen
    spending = list_spending(member, last)
    kinds = [
        ("", _("All")), ("app", _("Apps")), ("subscription", _("Subscriptions")),
        ("refund", _("Refunds")),
    ]  # fmt: skip
    return {
        "chart": charts.spending_chart(spending, chosen, member.wallet.currency),
        "chips": [
            {
                "label": label,
                "query": write_filter(wanted, kind=kind),
                "is_pressed": kind == wanted.kind,
            }
            for kind, label in kinds
        ],
        "without_month": write_filter(wanted, month=""),
        "export_query": write_filter(wanted),
        "earlier": write_filter(wanted, month=shift_month(chosen, -1).strftime("%Y-%m")),
        "later": write_filter(wanted, month=shift_month(chosen, 1).strftime("%Y-%m"))
        if chosen < this_month
        else "",
    }


@require_GET
def receipt(request: HttpRequest, public_id: str) -> HttpResponse:
    """One transaction in full. A refund shows the charge that it belongs to."""
    member: Member = request.member  # type: ignore[attr-defined]
    key = read_key(public_id, "txn")
    entry = find_entry(member, key) if key else None
    if entry is None:
        raise Http404
    if entry.refund and entry.charge:
        return private(redirect("history:receipt", entry.charge.public_id))
    refunds = list(entry.charge.refunds.order_by("id")) if entry.charge else []
    context = {"entry": entry, "charge": entry.charge, "refunds": refunds, "tab": "activity"}
    return private(render(request, "history/receipt.html", context))


@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The list of the same filters as a CSV file."""
    member: Member = request.member  # type: ignore[attr-defined]
    wanted = read_filter(request.GET)
    entries = iterate_activity(member, wanted)
    response = StreamingHttpResponse(
        exporting.csv_lines(entries, ZoneInfo(member.time_zone)),
        content_type="text/csv; charset=utf-8",
    )
    month = f"-{wanted.month:%Y-%m}" if wanted.month else ""
    response["Cache-Control"] = "no-store, private"
    response["Content-Disposition"] = f'attachment; filename="apple-zone-activity{month}.csv"'
    return response
