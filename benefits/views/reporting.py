"""Saying that a code does not work: a page that asks why, and the one POST that reports it."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from benefits.models import CodeReport
from benefits.services.code_reports import can_report, report_code
from benefits.views.mine import own_claim, result_context
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.http import private


class ReportForm(forms.Form):
    reason = forms.ChoiceField(choices=CodeReport.Reason.choices)


@require_http_methods(["GET", "POST"])
def report_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """GET asks what happened, POST reports it: the new benefit, or a word that we look at it."""
    claim = own_claim(request, public_id)
    context = result_context(claim) | {"reasons": CodeReport.Reason.choices}
    context["is_reportable"] = can_report(claim, now=context["now"])
    if request.method == "GET":
        return private(render(request, "benefits/report.html", context))
    form = ReportForm(request.POST)
    if not form.is_valid():
        context["refusal"] = _("Choose what happened.")
        return private(render(request, "benefits/report.html", context, status=422))
    try:
        report = report_code(
            claim=claim,
            reason=form.cleaned_data["reason"],
            actor=f"member:{request.member.public_id}",  # type: ignore[attr-defined]
            now=database_now(),
        )
    except ZoneError as refusal:
        context["refusal"] = str(refusal)
        return private(render(request, "benefits/report.html", context, status=409))
    if report.replacement is None:
        messages.success(request, _("Thank you. Somebody looks at it and writes to your inbox."))
        return private(redirect("benefits:claim_page", public_id))
    messages.success(request, _("Here is a new one. The other code is no longer yours."))
    return private(redirect("benefits:claim_page", report.replacement.public_id))
