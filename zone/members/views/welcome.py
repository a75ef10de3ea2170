"""Signing in: choose a wallet, come back from it, confirm, done."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zone.core import clock
from zone.core.errors import ZoneError
from zone.members import advice, http
from zone.members.access import open_to_all, safe_next
from zone.members.errors import ConsentMissing, WalletReturnExpired, WalletSaidNo
from zone.members.models import Wallet
from zone.members.queries import has_active_binding
from zone.members.services import sessions
from zone.members.services.sign_in import finish_sign_in, preview_sign_in, start_sign_in


@open_to_all
@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    """Where everybody begins: what this is, what is read, and the wallets one may come with."""
    next_path = safe_next(request, request.GET.get("next"))
    if request.member is not None:
        return redirect(next_path)
    return _page(request, next_path)


@open_to_all
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Agreed: show the way to the wallet."""
    wallet = get_object_or_404(Wallet, code=request.POST.get("wallet", ""))
    next_path = safe_next(request, request.POST.get("next"))
    key = http.ensure_browser_key(request)
    try:
        address = start_sign_in(
            wallet=wallet,
            is_agreed=request.POST.get("agree") == "yes",
            wants_messages=request.POST.get("messages") == "yes",
            browser_key=key,
            return_to=request.build_absolute_uri(reverse("members:welcome_return")),
            language=get_language() or settings.LANGUAGE_CODE,
            next_path=next_path,
            evidence={
                "request_id": request.request_id,
                "page": "/welcome",
                "messages_box": request.POST.get("messages") == "yes",
            },
            now=clock.database_now(),
        )
    except ConsentMissing as error:
        return _page(request, next_path, consent_error=error, status=error.http_status)
    except ZoneError as error:
        return _page(request, next_path, problem=error, status=error.http_status)
    response = render(
        request, "members/leaving.html", {"wallet": wallet, "address": address, "step": 1}
    )
    http.set_visit_cookie(response, key)
    return response


@open_to_all
@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """Back from the wallet: look at its word on GET, use it on POST."""
    key, now = http.browser_key(request), clock.database_now()
    try:
        if request.method != "POST":
            params = http.single_values(request.GET)
            returned = preview_sign_in(params=params, browser_key=key, now=now)
            return render(
                request, "members/confirm.html", {"returned": returned, "params": params, "step": 2}
            )
        params = http.single_values(request.POST)
        signed_in = finish_sign_in(
            params=params,
            browser_key=key,
            now=now,
            host=http.host_name(request),
            device=http.device_name(request),
        )
    except WalletReturnExpired as error:
        if request.member is not None:  # The other tab was faster.
            return redirect("/")
        return _page(request, "/", problem=error, status=error.http_status)
    except WalletSaidNo as error:
        return _page(request, "/", advice=advice.advice_for(error.facts["reason"]))
    except ZoneError as error:
        return _page(request, "/", problem=error, status=error.http_status)
    old = request.member_session
    if old is not None:
        sessions.end_session(member=old.member, session_id=old.pk, now=now)
    next_path = safe_next(request, signed_in.next_path)
    address = next_path
    if signed_in.is_new:
        address = f"{reverse('members:welcome_done')}?{urlencode({'next': next_path})}"
    response = http.go(request, address)
    http.set_member_cookie(response, signed_in.opened)
    rotate_token(request)
    return response


@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """The first time through: the ring closes, and the next good step is named."""
    return render(
        request,
        "members/welcome_done.html",
        {
            "next_path": safe_next(request, request.GET.get("next")),
            "is_bound": has_active_binding(request.member),
            "step": 3,
        },
    )


@open_to_all
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this device's session, on both sides. Safe to repeat."""
    if request.member_session is not None:
        sessions.end_session(
            member=request.member, session_id=request.member_session.pk, now=clock.now()
        )
    response = http.go(request, reverse("members:welcome"))
    http.drop_member_cookie(response)
    return response


def _page(
    request: HttpRequest, next_path: str, *, status: int = 200, **context: object
) -> HttpResponse:
    wallets = list(Wallet.objects.all())
    return render(
        request,
        "members/welcome.html",
        {
            "next_path": next_path,
            "wallets": [wallet for wallet in wallets if wallet.is_open],
            "closed_wallets": [wallet for wallet in wallets if not wallet.is_open],
            "step": 1,
            **context,
        },
        status=status,
    )
