"""Files of corrections: upload, look, decide; then watch, read line by line, undo."""

import csv
from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from credits.models import AdjustBatch
from credits.services.adjust_batches import apply_batch, refuse_batch, reverse_batch
from credits.services.adjust_files import ask_for_batch, read_adjust_file
from zone.core.errors import ZoneError
from zone.members.models import Member

FAULTS_SHOWN = 50
FAULT_WORDS = {
    "unknown_member": gettext_lazy("no such member"),
    "wrong_amount": gettext_lazy("the amount is no whole number of credits"),
    "member_twice": gettext_lazy("this member is in the file already"),
    "insufficient_credits": gettext_lazy("the member has fewer credits"),
    "account_closed": gettext_lazy("the account is closed"),
}


class BatchForm(forms.ModelForm):  # type: ignore[type-arg]
    """The file is read here, so that one that cannot be taken says so beside its field."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV in UTF-8 with the columns member and amount. Below zero takes credits."),
    )
    members: QuerySet[Member]

    class Meta:
        model = AdjustBatch
        fields = ["reason", "note"]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        try:
            return read_adjust_file(file.read(), name=file.name, members=self.members)
        except ZoneError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


@admin.register(AdjustBatch)
class AdjustBatchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An uploaded file moves nothing; the buttons do, and each asks who presses it."""

    change_form_template = "admin/credits/adjustbatch/change_form.html"
    list_display = [
        "public_id", "file_name", "status", "row_count", "given", "taken", "maker", "created_at",
    ]  # fmt: skip
    list_filter = ["status", "reason"]
    list_select_related = ["maker", "checker"]
    search_fields = ["public_id", "file_name"]
    shown = [
        "public_id", "status", "done", "file_name", "reason", "note", "row_count", "fault_count",
        "given", "taken", "applied_count", "refused_count", "not_applied", "report", "maker",
        "checker", "limit_used", "undoes", "undone_by", "created_at", "expires_at", "decided_at",
        "finished_at",
    ]  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.shown if obj else ["file", "reason", "note"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.shown if obj else []

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        # The members this operator may see are those a file of theirs may name.
        members = admin.site.get_model_admin(Member).get_queryset(request)
        return type("UploadForm", (BatchForm,), {"members": members})

    def save_model(self, request: HttpRequest, obj: AdjustBatch, form: Any, change: bool) -> None:
        ask_for_batch(obj, file=form.cleaned_data["file"], maker=request.user)  # type: ignore[arg-type]

    def response_add(
        self, request: HttpRequest, obj: AdjustBatch, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect("admin:credits_adjustbatch_change", obj.pk)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except ZoneError as refusal:  # Known already: that is seen only when it is stored.
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect("admin:credits_adjustbatch_add")

    def get_urls(self) -> list[URLPattern]:
        def page(name: str, view: Callable[..., HttpResponse]) -> URLPattern:
            return path(
                f"<int:batch_id>/{name}",
                self.admin_site.admin_view(view),
                name=f"credits_adjustbatch_{name.partition('.')[0]}",
            )

        return [
            page("apply", self.apply),
            page("refuse", self.refuse),
            page("reverse", self.reverse),
            page("report.csv", self.download),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        batch = self.get_object(request, object_id)
        buttons: list[tuple[str, Any]] = []
        if batch is not None and self.has_change_permission(request):
            is_undone = AdjustBatch.objects.filter(reverses=batch).exists()
            if batch.status == AdjustBatch.Status.PREVIEW:
                buttons = [
                    _button("apply", batch, _("Apply")),
                    _button("refuse", batch, _("Refuse")),
                ]
            elif batch.status == AdjustBatch.Status.DONE and not (is_undone or batch.reverses_id):
                buttons = [_button("reverse", batch, _("Undo all of it"))]
        context = {"buttons": buttons, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    # The buttons.

    def apply(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        return self._press(
            request,
            batch_id,
            lambda: apply_batch(batch_id=batch_id, operator=request.user),  # type: ignore[arg-type]
            gettext("It is being applied. This page shows how far it is."),
        )

    def refuse(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        return self._press(
            request, batch_id, lambda: refuse_batch(batch_id=batch_id), gettext("Refused.")
        )

    def reverse(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        return self._press(
            request,
            batch_id,
            lambda: reverse_batch(batch_id=batch_id, maker=request.user),  # type: ignore[arg-type]
            gettext("This is the file that undoes it. It has to be applied like any other."),
        )

    def _press(
        self, request: HttpRequest, batch_id: int, act: Callable[[], Any], done: str
    ) -> HttpResponse:
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        if self.get_object(request, str(batch_id)) is None:
            raise Http404
        shown = batch_id
        try:
            made = act()
        except ZoneError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, done)
            shown = made.pk if isinstance(made, AdjustBatch) else batch_id
        return redirect("admin:credits_adjustbatch_change", shown)

    def download(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """Every line with what became of it."""
        batch = self.get_object(request, str(batch_id))
        if batch is None or not self.has_view_permission(request, batch):
            raise Http404
        rows = batch.rows.order_by("line").values_list(
            "line", "given_member", "amount", "status", "fault"
        )
        writer = csv.writer(_Echo())

        def lines() -> Iterator[str]:
            yield writer.writerow(["line", "member", "amount", "status", "why_not"])
            for line, given, *rest in rows.iterator(chunk_size=2_000):
                # What a spreadsheet would run as a formula is shown as text.
                shown = f"'{given}" if given.startswith(("=", "+", "-", "@", "\t", "\r")) else given
                yield writer.writerow([line, shown, *rest])

        answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{batch.public_id}.csv"'
        return answer  # type: ignore[return-value]

    # What its page shows.

    @admin.display(description=_("progress"))
    def done(self, batch: AdjustBatch) -> str:
        return f"{batch.percent} %"

    @admin.display(description=_("rows not applied"))
    def not_applied(self, batch: AdjustBatch) -> SafeString | str:
        rows = batch.rows.exclude(fault="").order_by("line")[:FAULTS_SHOWN]
        lines = [(r.line, r.given_member, FAULT_WORDS.get(r.fault, r.fault)) for r in rows]
        if not lines:
            return "–"
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {} – {}</li>", lines))

    @admin.display(description=_("row by row"))
    def report(self, batch: AdjustBatch) -> SafeString:
        url = reverse("admin:credits_adjustbatch_report", args=[batch.pk])
        return format_html('<a href="{}">{}</a>', url, gettext("Line by line, as CSV"))

    @admin.display(description=_("undoes"))
    def undoes(self, batch: AdjustBatch) -> SafeString | str:
        return _link(batch.reverses)

    @admin.display(description=_("undone by"))
    def undone_by(self, batch: AdjustBatch) -> SafeString | str:
        return _link(AdjustBatch.objects.filter(reverses=batch).first())


class _Echo:
    """A file that hands back what is written to it, for a download that is made as it is sent."""

    def write(self, value: str) -> str:
        return value


def _button(name: str, batch: AdjustBatch, label: Any) -> tuple[str, Any]:
    return reverse(f"admin:credits_adjustbatch_{name}", args=[batch.pk]), label


def _link(batch: AdjustBatch | None) -> SafeString | str:
    if batch is None:
        return "–"
    url = reverse("admin:credits_adjustbatch_change", args=[batch.pk])
    return format_html('<a href="{}">{}</a>', url, batch.public_id)
