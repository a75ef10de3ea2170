"""A month's statement: to read and print, as CSV, and as a file that proves itself."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_GET, require_safe

from credits import verify_statement
from credits.kinds import Kind
from credits.queries.monthly import (
    get_month,
    iterate_month,
    list_month_lines,
    month_after,
    month_before,
    prove_month,
    sum_changes,
)
from credits.statement import FILTERS, filter_kinds, row_of
from credits.statement_pdf import write_statement
from zone.core.clock import database_now
from zone.core.http import private
from zone.members.access import open_to_all
from zone.members.models import Member

_YEAR_MIN = 2000
PAGE_LINES = 200


@require_GET
def statement_page(request: HttpRequest) -> HttpResponse:
    """Opening, lines, closing. A filter hides lines, never changes opening and closing."""
    member = request.member  # type: ignore[attr-defined]
    starts_on, this_month = _month(request)
    month = get_month(member, starts_on)
    word, after_seq = request.GET.get("show", ""), _after(request)
    kinds = filter_kinds(word)
    lines = list_month_lines(member, month, after_seq=after_seq, kinds=kinds, limit=PAGE_LINES + 1)
    context: dict[str, Any] = {
        "tab": "credits",
        "month": month,
        "rows": [row_of(line) for line in lines[:PAGE_LINES]],
        "is_continued": after_seq > 0,
        "more_after": lines[PAGE_LINES - 1].seq if len(lines) > PAGE_LINES else None,
        "total": sum_changes(member, month, kinds),
        "show": word,
        "filters": [(name, label, name == word) for name, label, _kinds in FILTERS],
        "before": month_before(starts_on) if starts_on.year > _YEAR_MIN else None,
        "after": month_after(starts_on) if starts_on < this_month else None,
    }
    return private(render(request, "credits/statement.html", context))


@require_GET
def statement_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The month line by line; the column `change` adds up from opening to closing."""
    member = request.member  # type: ignore[attr-defined]
    starts_on, _this_month = _month(request)
    return _file(_csv_lines(member, starts_on), "text/csv; charset=utf-8", starts_on, ".csv")


def _csv_lines(member: Member, starts_on: date) -> Iterator[str]:
    month = get_month(member, starts_on)
    table = csv.writer(Echo())
    yield "\ufeff"  # Spreadsheets read UTF-8 only when told so.
    yield table.writerow(
        ["day", "posted_at", "kind", "what", "change", "balance", "entry", "related"]
    )
    yield table.writerow([starts_on, "", "opening", "", "", month.opening.available, "", ""])
    for line in iterate_month(member, month):
        row = row_of(line)
        yield table.writerow([
            timezone.localtime(line.posted_at).date(), line.posted_at.isoformat(),
            Kind(line.kind).word, row.title, row.change, row.balance, line.public_id,
            _harmless(line.related),
        ])  # fmt: skip
    yield table.writerow(["", "", "closing", "", "", month.closing.available, "", ""])


@require_GET
def statement_pdf(request: HttpRequest) -> FileResponse:
    """The month as a document to keep or to send on; it adds up to the CSV."""
    member = request.member  # type: ignore[attr-defined]
    starts_on, _this_month = _month(request)
    month = get_month(member, starts_on)
    # On a disk and not in memory: it may have thousands of pages.
    file = TemporaryFile()  # noqa: SIM115 (FileResponse closes it)
    write_statement(file, member=member, month=month, lines=iterate_month(member, month))
    file.seek(0)
    name = f"credits-{starts_on:%Y-%m}.pdf"
    answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/pdf")
    private(answer)
    return answer


@require_GET
def statement_proof(request: HttpRequest) -> StreamingHttpResponse:
    """The month with its proof, for `verify_statement.py`."""
    member = request.member  # type: ignore[attr-defined]
    starts_on, _this_month = _month(request)
    return _file(prove_month(member, starts_on), "application/json", starts_on, "-proof.json")


def _file(pieces: Iterator[str], kind: str, starts_on: date, ending: str) -> StreamingHttpResponse:
    answer: StreamingHttpResponse = private(  # type: ignore[assignment]
        StreamingHttpResponse(_as_now(pieces), content_type=kind)  # type: ignore[arg-type]
    )
    answer["Content-Disposition"] = f'attachment; filename="credits-{starts_on:%Y-%m}{ending}"'
    return answer


def _as_now(pieces: Iterator[str]) -> Iterator[str]:
    """The same pieces, each made in the reader's language and zone.

    An answer is streamed after the middleware, which knew them, has ended.
    """
    language, zone = translation.get_language() or "en", timezone.get_current_timezone()

    def made() -> Iterator[str]:
        while True:
            with translation.override(language), timezone.override(zone):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    return made()


class Echo:
    """A file for `csv.writer` that gives each line back instead of keeping it."""

    def write(self, value: str) -> str:
        return value


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


def _after(request: HttpRequest) -> int:
    """The seq of the last line of the page before; 404 for what is none."""
    text = request.GET.get("after", "0")
    if not text.isascii() or not text.isdigit() or int(text[:11]) >= 2**31:
        raise Http404
    return int(text[:11])


def _harmless(text: str) -> str:
    """A partner's text that a spreadsheet would run as a formula is shown as text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
