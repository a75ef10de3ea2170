"""What a member agreed to, and how to take it back: one purpose, or all of it for good."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zone.core import clock
from zone.core.errors import ZoneError
from zone.members import http
from zone.members.access import open_to_frozen
from zone.members.models import Consent
from zone.members.services import consents, erasures

# What can be switched on its own; without the others there is no membership.
CHOICES = (Consent.Purpose.MARKETING, Consent.Purpose.PERSONALISATION)


@require_safe
def privacy_page(request: HttpRequest) -> HttpResponse:
    """Every purpose, with what was agreed to and since when, and the way to be forgotten."""
    given = {row.purpose: row for row in request.member.consents.filter(withdrawn_at=None)}
    context = {
        "tab": "me",
        "basics": [given[purpose] for purpose in consents.BASIC_PURPOSES if purpose in given],
        "choices": [(purpose, given.get(purpose)) for purpose in CHOICES],
        "erasure": erasures.find_erasure(request.member),
    }
    return render(request, "members/my_privacy.html", context)


@open_to_frozen
@require_POST
def set_consent(request: HttpRequest) -> HttpResponse:
    """Give one consent or take it back. Safe to repeat."""
    purpose = request.POST.get("purpose", "")
    if purpose not in CHOICES:
        raise Http404
    now = clock.database_now()
    if request.POST.get("wanted") == "yes":
        consents.give_consents(
            member=request.member,
            purposes=[purpose],
            language=request.LANGUAGE_CODE,
            evidence={"page": "privacy", "device": http.device_os(request)},
            now=now,
        )
    else:
        consents.withdraw_consent(member=request.member, purpose=purpose, now=now)
    messages.success(request, _("Saved."))
    return http.go(request, reverse("members:my_privacy"))


@open_to_frozen
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest) -> HttpResponse:
    """What goes, what the law keeps, and the button that starts the fifteen days."""
    context = {"tab": "me", "days": erasures.COOLING_DAYS}
    if request.method != "POST":
        return render(request, "members/erase.html", context)
    if request.POST.get("confirm") != "yes":
        context["confirm_error"] = _("Please tick the box to confirm.")
        return render(request, "members/erase.html", context, status=422)
    erasures.request_erasure(member=request.member, by="member", now=clock.database_now())
    messages.info(request, _("Your membership will be deleted. You can still call it off."))
    return http.go(request, reverse("members:my_privacy"))


@open_to_frozen
@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    """Everything stays as it is."""
    try:
        erasures.cancel_erasure(member=request.member, now=clock.database_now())
    except ZoneError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Called off. Everything stays as it is."))
    return http.go(request, reverse("members:my_privacy"))


@require_safe
def on_hold(request: HttpRequest) -> HttpResponse:
    """Where a frozen member is sent by what they cannot do."""
    return render(request, "members/on_hold.html", {"tab": "me"})
