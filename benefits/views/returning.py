"""Giving a benefit back: a page that says what comes back, and the one POST that does it."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from benefits.services.returns import return_claim
from benefits.views.mine import own_claim, result_context
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.http import private


class ReturnForm(forms.Form):
    """The credits that the page promised: with less on offer by now, nothing happens."""

    credits_back = forms.IntegerField(min_value=0)


@require_http_methods(["GET", "POST"])
def return_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """GET says what would come back, POST gives it back. A refusal changes nothing."""
    claim = own_claim(request, public_id)
    context = result_context(claim)
    if request.method == "POST":
        form = ReturnForm(request.POST)
        try:
            if not form.is_valid():
                raise ZoneError()
            return_claim(
                claim=claim,
                now=database_now(),
                actor=f"member:{request.member.public_id}",  # type: ignore[attr-defined]
                expected_credits=form.cleaned_data["credits_back"],
            )
        except ZoneError as refusal:
            context = result_context(own_claim(request, public_id)) | {"refusal": str(refusal)}
            return private(render(request, "benefits/return.html", context, status=409))
        messages.success(request, _("It is given back."))
        return private(redirect("benefits:claim_page", public_id))
    return private(render(request, "benefits/return.html", context))
