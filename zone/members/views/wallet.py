"""The linked wallet, the way out of it, and the devices one is signed in on."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zone.core import clock
from zone.core.errors import ZoneError
from zone.members import http
from zone.members.access import open_to_frozen
from zone.members.models import Binding
from zone.members.queries import find_open_binding
from zone.members.services import sessions
from zone.members.services.bind_flow import request_unbind


@require_safe
def wallet(request: HttpRequest) -> HttpResponse:
    """Which wallet is linked, since when, and what has been before."""
    bindings = list(request.member.bindings.order_by("-created_at")[:20])
    is_open = {status.value for status in Binding.OPEN_STATUSES}
    return render(
        request,
        "members/wallet.html",
        {
            "binding": next((each for each in bindings if each.status in is_open), None),
            "past": [each for each in bindings if each.status not in is_open and each.bound_at],
            "tab": "me",
        },
    )


@open_to_frozen
@require_http_methods(["GET", "HEAD", "POST"])
def unbind(request: HttpRequest) -> HttpResponse:
    """What unbinding takes away, and the button that does it."""
    binding = find_open_binding(request.member)
    context = {"binding": binding, "tab": "me", "kept_days": settings.CREDITS_KEPT_DAYS}
    if request.method != "POST":
        if binding is None or binding.status == Binding.Status.PENDING:
            return redirect("members:wallet")
        return render(request, "members/unbind.html", context)
    if request.POST.get("confirm") != "yes":
        context["confirm_error"] = _("Please tick the box to confirm.")
        return render(request, "members/unbind.html", context, status=422)
    try:
        binding = request_unbind(member=request.member, now=clock.database_now())
    except ZoneError as error:
        context["problem"] = error
        return render(request, "members/unbind.html", context, status=error.http_status)
    if binding.status == Binding.Status.UNBOUND:
        messages.success(request, _("Your wallet is no longer linked."))
    else:
        messages.info(request, _("Your wallet is working on it. We will tell you when it is done."))
    return http.go(request, reverse("members:wallet"))


@require_safe
def devices(request: HttpRequest) -> HttpResponse:
    """Every device that is signed in."""
    return render(
        request,
        "members/devices.html",
        {
            "sessions": sessions.list_open_sessions(member=request.member, now=clock.now()),
            "current_id": request.member_session.pk,
            "tab": "me",
        },
    )


@open_to_frozen
@require_POST
def end_device(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign one device out."""
    ended = sessions.end_session(member=request.member, session_id=session_id, now=clock.now())
    if not ended:
        raise Http404
    messages.success(request, _("Signed out on that device."))
    return http.go(request, reverse("members:devices"))


@open_to_frozen
@require_POST
def end_other_devices(request: HttpRequest) -> HttpResponse:
    """Sign every other device out."""
    sessions.end_all_sessions(
        member=request.member, now=clock.now(), keep=request.member_session.pk
    )
    messages.success(request, _("Signed out on every other device."))
    return http.go(request, reverse("members:devices"))
