"""A month's statement: to read and print, as CSV, and as a file that proves itself."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from credits import verify_statement
from credits.kinds import Kind
from credits.queries.monthly import get_month, month_after, month_before, prove_month
from credits.statement import FILTERS, filter_kinds, row_of
from zone.core.clock import database_now
from zone.core.http import private
from zone.members.access import open_to_all

_YEAR_MIN = 2000


@require_GET
def statement_page(request: HttpRequest) -> HttpResponse:
    """Opening, lines, closing. A filter hides lines, never changes opening and closing."""
    member = request.member  # type: ignore[attr-defined]
    starts_on, this_month = _month(request)
    month = get_month(member, starts_on)
    word = request.GET.get("show", "")
    kinds = filter_kinds(word)
    rows = [row_of(line) for line in month.lines if not kinds or line.kind in kinds]
    context: dict[str, Any] = {
        "tab": "credits",
        "month": month,
        "rows": rows,
        "total": sum(row.change for row in rows),
        "show": word,
        "filters": [(name, label, name == word) for name, label, _kinds in FILTERS],
        "before": month_before(starts_on) if starts_on.year > _YEAR_MIN else None,
        "after": month_after(starts_on) if starts_on < this_month else None,
    }
    return private(render(request, "credits/statement.html", context))


@require_GET
def statement_csv(request: HttpRequest) -> HttpResponse:
    """The month line by line; the column `change` adds up from opening to closing."""
    member = request.member  # type: ignore[attr-defined]
    starts_on, _this_month = _month(request)
    month = get_month(member, starts_on)
    answer = private(HttpResponse(content_type="text/csv; charset=utf-8"))
    answer["Content-Disposition"] = f'attachment; filename="credits-{starts_on:%Y-%m}.csv"'
    answer.write("\ufeff")  # Spreadsheets read UTF-8 only when told so.
    table = csv.writer(answer)
    table.writerow(["day", "posted_at", "kind", "what", "change", "balance", "entry", "related"])
    table.writerow([starts_on, "", "opening", "", "", month.opening.available, "", ""])
    for line in month.lines:
        row = row_of(line)
        table.writerow([
            timezone.localtime(line.posted_at).date(), line.posted_at.isoformat(),
            Kind(line.kind).word, row.title, row.change, row.balance, line.public_id,
            _harmless(line.related),
        ])  # fmt: skip
    table.writerow(["", "", "closing", "", "", month.closing.available, "", ""])
    return answer


@require_GET
def statement_proof(request: HttpRequest) -> HttpResponse:
    """The month with its proof, for `verify_statement.py`."""
    starts_on, _this_month = _month(request)
    proof = prove_month(request.member, starts_on)  # type: ignore[attr-defined]
    answer = private(JsonResponse(proof))
    name = f"credits-{starts_on:%Y-%m}-proof.json"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@open_to_all
@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """The program that checks a proof, to keep and to read."""
    source = Path(verify_statement.__file__).read_bytes()
    answer = HttpResponse(source, content_type="text/x-python; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="verify_statement.py"'
    return answer


def _month(request: HttpRequest) -> tuple[date, date]:
    """The month asked for and the current one; 404 for what is no month or is still to come."""
    this_month = timezone.localtime(database_now()).date().replace(day=1)
    text = request.GET.get("month") or f"{this_month:%Y-%m}"
    try:
        starts_on = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Http404 from None
    if len(text) != len("YYYY-MM") or starts_on.year < _YEAR_MIN or starts_on > this_month:
        raise Http404
    return starts_on, this_month


def _harmless(text: str) -> str:
    """A partner's text that a spreadsheet would run as a formula is shown as text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
