"""The second factor's pages: enrol a phone, enter a code, enter a fresh one before a sensitive act."""

from collections.abc import Mapping
from urllib.parse import urlencode

import django_otp
import segno
from django import forms
from django.contrib import admin, auth
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_otp.models import Device

from zone.console.services import audit, factors, sessions
from zone.core import clock, stepup
from zone.core.errors import ZoneError


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "autofocus": True,
                "spellcheck": "false",
                "autocapitalize": "none",
            }
        ),
    )


@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """After the password: a code from the phone opens the working session."""
    user = _operator_with_password(request)
    if user is None:
        return redirect_to_login(_next_page(request), reverse("admin:login"))
    if admin.site.has_permission(request):
        return HttpResponseRedirect(_next_page(request))
    if factors.find_confirmed_device(user) is None:
        return _redirect("admin:enrol", request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            device = factors.check_code(user, form.cleaned_data["code"])
        except ZoneError as refusal:
            audit.record_deed(request, audit.Deed("factor.refused", user))
            form.add_error("code", str(refusal))
        else:
            _begin_work(request, user, device)
            audit.record_deed(request, audit.Deed("signed_in", user))
            return HttpResponseRedirect(_next_page(request))
    return _page(request, "console/verify.html", _("Enter your code"), {"form": form})


@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Tie a phone to the operator. A second phone replaces the first, and needs a fresh code."""
    user = _operator_with_password(request)
    if user is None:
        return redirect_to_login(_next_page(request), reverse("admin:login"))
    if factors.find_confirmed_device(user) is not None:
        if not admin.site.has_permission(request):
            return _redirect("admin:verify", request)
        if page := stepup.ask_for_fresh_code(request):
            return page
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            enrolment = factors.finish_enrolment(user, form.cleaned_data["code"])
        except ZoneError as refusal:
            form.add_error("code", str(refusal))
        else:
            _begin_work(request, user, enrolment.device)
            audit.record_deed(request, audit.Deed("factor.enrolled", user))
            shown = {"codes": enrolment.recovery_codes}
            return _page(request, "console/recovery_codes.html", _("Recovery codes"), shown)
    device = factors.start_enrolment(user)
    facts = {"form": form, "secret": factors.secret_text(device), "qr": _qr(user, device)}
    return _page(request, "console/enrol.html", _("Set up your second factor"), facts)


@require_http_methods(["GET", "POST"])
def step_up(request: HttpRequest) -> HttpResponse:
    """A fresh code, then back to the page that asked for it."""
    user = _operator_with_password(request)
    if user is None:
        return redirect_to_login(_next_page(request), reverse("admin:login"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            factors.check_code(user, form.cleaned_data["code"])
        except ZoneError as refusal:
            audit.record_deed(request, audit.Deed("factor.refused", user))
            form.add_error("code", str(refusal))
        else:
            request.session.cycle_key()
            stepup.mark_code_fresh(request)
            audit.record_deed(request, audit.Deed("factor.fresh"))
            return HttpResponseRedirect(_next_page(request))
    return _page(request, "console/step_up.html", _("Confirm it is you"), {"form": form})


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Forget the password given so far, for someone else to sign in."""
    auth.logout(request)
    return HttpResponseRedirect(reverse("admin:login"))


def _begin_work(request: HttpRequest, user: User, device: Device) -> None:
    request.session.cycle_key()
    django_otp.login(request, device)
    session = sessions.open_session(
        user,
        address=request.META.get("REMOTE_ADDR") or None,
        agent_family=sessions.agent_family_of(request.headers.get("User-Agent", "")),
        now=clock.now(),
    )
    request.session["operator_session_id"] = session.pk
    request.operator_session = session  # type: ignore[attr-defined]
    stepup.mark_code_fresh(request)


def _operator_with_password(request: HttpRequest) -> User | None:
    user = request.user
    if isinstance(user, User) and user.is_active and user.is_staff:
        return user
    return None


def _next_page(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    if is_ours and wanted.startswith(reverse("admin:index")):
        return wanted
    return reverse("admin:index")


def _redirect(name: str, request: HttpRequest) -> HttpResponseRedirect:
    query = urlencode({"next": _next_page(request)})
    return HttpResponseRedirect(f"{reverse(name)}?{query}")


def _page(
    request: HttpRequest, template: str, title: str, facts: Mapping[str, object]
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": title,
        "next": _next_page(request),
        **facts,
    }
    return render(request, template, context)


def _qr(user: User, device: Device) -> str:
    code = segno.make(device.config_url, error="m")
    drawing = code.svg_inline(border=0, dark="#111", omitsize=True, svgclass=None, lineclass=None)
    return mark_safe(drawing)  # noqa: S308 - made of squares by segno, holds no text of anyone's
