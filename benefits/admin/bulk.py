"""Bulk jobs: watched, paused, canceled, and read line by line."""

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import Verb, VerbsAdmin, actor_of
from benefits.models import BulkJob, BulkRow
from benefits.services import bulk
from zone.core.clock import database_now

_RIGHT = "benefits.run_bulkjob"


class Echo:
    """A file that hands back what is written to it, for a download that is made as it is sent."""

    def write(self, value: str) -> str:
        return value


def _bar(job: BulkJob, waiting: int) -> SafeString:
    percent = 100 * (job.total - waiting) // job.total if job.total else 100
    return format_html(
        '<progress max="100" value="{}">{} %</progress> {} %', percent, percent, percent
    )


def pause(request: HttpRequest, job: BulkJob, values: dict[str, Any]) -> str:
    return _("Paused.") if bulk.pause_job(job=job) else _("It was not running.")


def resume(request: HttpRequest, job: BulkJob, values: dict[str, Any]) -> str:
    return _("It goes on.") if bulk.resume_job(job=job) else _("It was not paused.")


def cancel(request: HttpRequest, job: BulkJob, values: dict[str, Any]) -> str:
    done = bulk.cancel_job(job=job, now=database_now())
    return _("Canceled; what was done stays done.") if done else _("It had ended already.")


def undo(request: HttpRequest, job: BulkJob, values: dict[str, Any]) -> str:
    made = bulk.undo_revocations(job=job, actor=actor_of(request), now=database_now())
    return _("Being given back by %(job)s.") % {"job": made.public_id}


@admin.register(BulkJob)
class BulkJobAdmin(VerbsAdmin):
    list_display = ("public_id", "verb", "state", "source", "how_far", "actor", "created_at")
    list_filter = ("verb", "state")
    list_select_related = ("release",)
    search_fields = ("public_id", "source", "release__public_id")
    fields = (
        "public_id", "verb", "state", "release", "source", "options", "total", "progress",
        "result", "actor", "created_at", "finished_at",
    )  # fmt: skip
    readonly_fields = fields
    verbs = (
        Verb("pause", gettext_lazy("Pause"), _RIGHT, forms.Form, pause),
        Verb("resume", gettext_lazy("Go on"), _RIGHT, forms.Form, resume),
        Verb("cancel", gettext_lazy("Cancel"), _RIGHT, forms.Form, cancel),
        Verb("undo", gettext_lazy("Give back what it took away"), _RIGHT, forms.Form, undo),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # Started where its rows come from: a release, or the list of claims.

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        ours = path(
            "<path:object_id>/result.csv",
            self.admin_site.admin_view(self.download),
            name="benefits_bulkjob_result",
        )
        return [ours, *super().get_urls()]

    @admin.display(description=gettext_lazy("progress"))
    def how_far(self, job: Any) -> str:
        """In the list: how many rows are settled. What became of each is on the job's own page."""
        return _bar(job, job.waiting)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkJob]:
        # Rows that wait are few or have an index of their own; a job that ended has none.
        waiting = (
            BulkRow.objects.filter(job=OuterRef("pk"), state=BulkRow.State.WAITING)
            .order_by()
            .values("job")
            .annotate(number=Count("pk"))
            .values("number")
        )
        rows: QuerySet[BulkJob] = super().get_queryset(request)
        return rows.annotate(waiting=Coalesce(Subquery(waiting), 0))

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, job: BulkJob) -> str:
        counts = dict(
            job.rows.order_by()
            .values_list("state")
            .annotate(Count("pk"))
            .values_list("state", "pk__count")
        )
        words = ", ".join(
            f"{BulkRow.State(state).label}: {count}" for state, count in sorted(counts.items())
        )
        return format_html("{} · {}", _bar(job, counts.get(BulkRow.State.WAITING, 0)), words)

    @admin.display(description=gettext_lazy("result"))
    def result(self, job: BulkJob) -> str:
        url = reverse("admin:benefits_bulkjob_result", args=[job.pk])
        return format_html('<a href="{}">{}</a>', url, _("Row by row, as CSV"))

    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job = self.get_object(request, object_id)
        if job is None or not self.has_view_permission(request, job):
            return HttpResponse(status=404)
        writer = csv.writer(Echo())

        def lines() -> Iterator[str]:
            yield writer.writerow(["line", "target", "state", "reason", "claim"])
            rows = job.rows.order_by("number").values_list(
                "number", "target", "state", "reason", "claim__public_id"
            )
            for row in rows.iterator(chunk_size=5_000):
                yield writer.writerow([_safe(value) for value in row])

        answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{job.public_id}.csv"'
        return answer  # type: ignore[return-value]


def _safe(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
