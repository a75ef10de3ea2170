"""Trials: when each turns into a charge, and how long before that the member is told."""

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from benefits import trial_queries
from benefits.models import Trial
from benefits.services.trials import set_lead
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.core.http import private
from zone.members.models import Member


class LeadForm(forms.Form):
    lead_days = forms.TypedChoiceField(
        coerce=int, choices=[(days, str(days)) for days in Trial.LEAD_DAYS]
    )


@require_GET
def trials(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    context = {
        "tab": "subscriptions",
        "trials": trial_queries.list_trials(member),
        "leads": Trial.LEAD_DAYS,
        "now": database_now(),
    }
    return private(render(request, "trials/trials.html", context))


@require_POST
def lead(request: HttpRequest, trial_id: int) -> HttpResponse:
    """Choose 1, 3 or 7 days; anything else changes nothing."""
    member: Member = request.member  # type: ignore[attr-defined]
    form = LeadForm(request.POST)
    try:
        if form.is_valid():
            days = form.cleaned_data["lead_days"]
            set_lead(member=member, trial_id=trial_id, lead_days=days, now=database_now())
    except NotFound as error:
        raise Http404 from error
    return private(redirect("benefits:trials"))
