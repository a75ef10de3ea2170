"""Files of codes on their way: how far they are, and which lines were not taken."""

import csv
import io
from collections.abc import Iterator

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.bulk import Echo
from benefits.admin.verbs import actor_of
from benefits.models import CodeImport
from benefits.services.code_imports import read_rejected
from benefits.services.imports import COLUMNS
from zone.core.clock import database_now
from zone.core.readonly import ReadOnly
from zone.core.vault import VaultError


@admin.register(CodeImport)
class CodeImportAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        "public_id", "release", "file_name", "state", "done", "row_count", "accepted_count",
        "created_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("release",)
    search_fields = ("public_id", "file_name", "release__public_id")
    fields = (
        "public_id", "release", "file_name", "file_bytes", "state", "done", "row_count",
        "accepted_count", "fault_counts", "report", "rejected", "refusal", "expires_on", "life_days_min",
        "actor", "created_at", "finished_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        ours = path(
            "<path:object_id>/report.csv",
            self.admin_site.admin_view(self.download),
            name="benefits_codeimport_report",
        )
        rejected = path(
            "<path:object_id>/rejected.csv",
            self.admin_site.admin_view(self.download_rejected),
            name="benefits_codeimport_rejected",
        )
        return [ours, rejected, *super().get_urls()]

    @admin.display(description=gettext_lazy("progress"))
    def done(self, row: CodeImport) -> str:
        return f"{row.percent} %"

    @admin.display(description=gettext_lazy("lines not taken"))
    def report(self, row: CodeImport) -> str:
        url = reverse("admin:benefits_codeimport_report", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, _("Line by line, as CSV"))

    @admin.display(description=gettext_lazy("to correct"))
    def rejected(self, row: CodeImport) -> str:
        if not row.key_sealed or not row.finished_at:
            return "–"
        url = reverse("admin:benefits_codeimport_rejected", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, _("Those lines, to correct and load again"))

    def download_rejected(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The lines that were not taken, in a form that can be loaded again. Its reading is recorded."""
        row = self.get_object(request, object_id)
        if row is None or not request.user.has_perm("benefits.add_codebatch"):  # type: ignore[union-attr]
            return HttpResponse(status=404)
        body = io.StringIO(newline="")
        writer = csv.writer(body)
        writer.writerow([*COLUMNS, "line", "fault"])
        try:
            writer.writerows(read_rejected(row=row, actor=actor_of(request), now=database_now()))
        except VaultError:
            return HttpResponse(status=404)
        answer = HttpResponse(body.getvalue(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{row.public_id}-rejected.csv"'
        answer["Cache-Control"] = "no-store"
        return answer

    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_permission(request, row):
            return HttpResponse(status=404)
        writer = csv.writer(Echo())

        def lines() -> Iterator[str]:
            yield writer.writerow(["line", "fault"])
            faults = row.faults.order_by("line").values_list("line", "kind")
            for fault in faults.iterator(chunk_size=5_000):
                yield writer.writerow(fault)

        answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{row.public_id}.csv"'
        return answer  # type: ignore[return-value]
