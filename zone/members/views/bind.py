"""Binding: the guide, the way to the wallet and back, live status, done."""

from datetime import UTC, datetime

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zone.core import clock
from zone.core.errors import ZoneError
from zone.members import advice, guides, http
from zone.members.access import safe_next
from zone.members.errors import AlreadyBound, WalletReturnExpired, WalletSaidNo
from zone.members.models import Binding, BindingAttempt
from zone.members.queries import find_open_binding, has_active_binding
from zone.members.services import attempts
from zone.members.services.bind_flow import cancel_binding, finish_binding, start_binding

_SALT = "zone.members.guide"
_STEPS = {"guide", "waiting", "return", "done"}


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """Why and how to bind; for whoever was on the way already, the step they stopped at."""
    binding = find_open_binding(request.member)
    if binding and binding.status == Binding.Status.ACTIVE:
        return redirect("members:wallet")
    return _page(request, binding)


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """A step of the guide came into view. Only forms write; this one is sent by the page."""
    step = request.POST.get("step", "")
    if step in _STEPS and not has_active_binding(request.member):
        now = clock.database_now()
        attempt = _attempt(request, now)
        attempts.note_step_viewed(attempt, step, now)
    return HttpResponse(status=204)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Show the way to the wallet's agreement page."""
    key, now = http.ensure_browser_key(request), clock.database_now()
    member = request.member
    try:
        if has_active_binding(member):
            raise AlreadyBound
        attempt = _attempt(request, now)
        attempts.note_step_viewed(attempt, "guide", attempt.started_at)
        address = start_binding(
            member=member,
            attempt=attempt,
            browser_key=key,
            return_to=request.build_absolute_uri(reverse("members:bind_return")),
            language=get_language() or member.language,
            now=now,
        )
    except AlreadyBound:
        return http.go(request, reverse("members:wallet"))
    except ZoneError as error:
        return _page(request, find_open_binding(member), problem=error, status=error.http_status)
    response = render(
        request,
        "members/leaving.html",
        {"wallet": member.wallet, "address": address, "step": 1, "is_binding": True},
    )
    http.set_visit_cookie(response, key)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """Back from the wallet. The page sends itself on; without script there is a button."""
    member = request.member
    if request.method != "POST":
        try:
            params = http.single_values(request.GET)
        except ZoneError as error:
            return _page(request, find_open_binding(member), problem=error, status=400)
        return render(request, "members/bind_return.html", {"params": params, "step": 2})
    now = clock.database_now()
    try:
        finish_binding(
            member=member,
            params=http.single_values(request.POST),
            browser_key=http.browser_key(request),
            now=now,
        )
    except WalletSaidNo:
        return http.go(request, reverse("members:bind"))
    except WalletReturnExpired as error:
        if has_active_binding(member):  # The other tab, or the wallet itself, was faster.
            return http.go(request, reverse("members:bind_done"))
        return _page(request, find_open_binding(member), problem=error, status=error.http_status)
    except ZoneError as error:
        return _page(request, find_open_binding(member), problem=error, status=error.http_status)
    is_bound = has_active_binding(member)
    return http.go(request, reverse("members:bind_done" if is_bound else "members:bind"))


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """What is known about the binding now; asked by the waiting page every few seconds."""
    binding = find_open_binding(request.member)
    if binding is None or binding.status != Binding.Status.PENDING:
        name = "members:bind_done" if has_active_binding(request.member) else "members:bind"
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(headers={"HX-Redirect": reverse(name)})
        return redirect(name)
    return render(request, "members/_bind_waiting.html", {"binding": binding})


@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    """Not now."""
    now = clock.database_now()
    attempt = attempts.find_open_attempt(request.member, now)
    cancel_binding(member=request.member, now=now)
    return http.go(request, safe_next(request, attempt.next_path if attempt else "/"))


@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """Bound: the ring closes, with the time it took, and the way back to what was interrupted."""
    binding = find_open_binding(request.member)
    if binding is None or binding.status != Binding.Status.ACTIVE:
        return redirect("members:bind")
    attempt = (
        request.member.attempts.filter(outcome=BindingAttempt.Outcome.SUCCEEDED)
        .order_by("-ended_at")
        .first()
    )
    return render(
        request,
        "members/bind_done.html",
        {
            "binding": binding,
            "seconds": _seconds(attempt),
            "next_path": safe_next(request, attempt.next_path if attempt else "/"),
            "step": 3,
        },
    )


def _seconds(attempt: BindingAttempt | None) -> int | None:
    if attempt is None or attempt.ended_at is None:
        return None
    return max(1, round((attempt.ended_at - attempt.started_at).total_seconds()))


def _attempt(request: HttpRequest, now: datetime) -> BindingAttempt:
    next_path = request.POST.get("next", "")
    return attempts.open_attempt(
        member=request.member,
        now=now,
        entry=request.POST.get("entry", "")[:32] or "direct",
        device_os=http.device_os(request),
        next_path=safe_next(request, next_path, default=""),
        viewed_at=_viewed_at(request.POST.get("viewed_at", "")),
    )


def _viewed_at(mark: str) -> datetime | None:
    """When the guide was rendered, as our own signature on the page says."""
    try:
        return datetime.fromtimestamp(signing.loads(mark, salt=_SALT, max_age=1800), tz=UTC)
    except signing.BadSignature:
        return None


def _page(
    request: HttpRequest, binding: Binding | None, *, status: int = 200, **context: object
) -> HttpResponse:
    member, now = request.member, clock.now()
    attempt = attempts.find_open_attempt(member, now)
    reason = attempt.failure_reason if attempt else ""
    is_waiting = binding is not None and binding.status == Binding.Status.PENDING
    return render(
        request,
        "members/bind.html",
        {
            "binding": binding,
            "attempt": attempt,
            "is_waiting": is_waiting,
            "advice": advice.advice_for(reason) if reason and not is_waiting else None,
            "reason": reason,
            "steps": guides.steps_for(member.wallet),
            "entry": request.GET.get("entry", request.POST.get("entry", ""))[:32],
            "next_path": safe_next(
                request, request.GET.get("next") or request.POST.get("next"), default=""
            ),
            "viewed_at": signing.dumps(now.timestamp(), salt=_SALT),
            "step": 1,
            **context,
        },
        status=status,
    )
