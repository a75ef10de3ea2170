"""The sandbox wallet's own pages: sign in as a test person, say yes or no, change your mind."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from zone.core import clock
from zone.core.http import private
from zone.members.models import BindFailureReason, Wallet
from zone.members.sandbox.models import SandboxAccount, SandboxAgreement
from zone.members.sandbox.services import accounts, agreements, messages
from zone.members.services.bindings import receive_news

_SALT = "zone.members.sandbox.person"
_PEOPLE_PER_PAGE = 12
_COOKIE_SECONDS = 24 * 3600
# Where the Zone may be answered, as an application registers its return addresses with a wallet.
_RETURN_NAMES = {"sign_in": "members:welcome_return", "bind": "members:bind_return"}
_CANCELLED = BindFailureReason.USER_CANCELLED


@dataclass(frozen=True, slots=True)
class Question:
    """What the Zone asks this wallet's user, from the address they came with."""

    purpose: str
    state: str
    return_to: str
    language: str
    external_agreement_no: str

    @property
    def query(self) -> str:
        names = ("purpose", "state", "return_to", "language", "external_agreement_no")
        return urlencode({name: getattr(self, name) for name in names if getattr(self, name)})


@require_safe
def authorise(request: HttpRequest, code: str) -> HttpResponse:
    """Who is it, and do they agree?"""
    wallet = _wallet_or_404(code)
    question = _question(request, request.GET)
    if question is None:
        return HttpResponseBadRequest("The request is not one of a registered application.")
    person = _person(request, wallet)
    if person is None or request.GET.get("switch"):
        return _people_page(request, wallet, question)
    return _render(
        request,
        "sandbox/consent.html" if question.purpose == "sign_in" else "sandbox/agreement.html",
        {
            "wallet": wallet,
            "question": question,
            "person": person,
            "agreement": agreements.find_open_agreement(person),
            "reasons": [each for each in BindFailureReason if each != _CANCELLED],
        },
    )


@require_POST
def choose_person(request: HttpRequest, code: str) -> HttpResponse:
    """Sign in to the wallet as a test person, or as a new one."""
    wallet = _wallet_or_404(code)
    public_id = request.POST.get("person", "")
    if public_id:
        person = SandboxAccount.objects.filter(wallet_code=code, public_id=public_id).first()
        if person is None:
            raise Http404
    else:
        name = request.POST.get("name", "").strip()[:60]
        person = accounts.ensure_account(
            wallet=wallet, display_name=name, is_adult=request.POST.get("age") != "minor"
        )
    question = _question(request, request.POST)
    address = reverse("members:sandbox:account", args=[code])
    if question is not None:
        address = f"{reverse('members:sandbox:authorise', args=[code])}?{question.query}"
    response = HttpResponse(status=303, headers={"Location": address})
    response.set_cookie(
        _cookie_name(wallet),
        signing.dumps(person.public_id, salt=_SALT),
        max_age=_COOKIE_SECONDS,
        secure=settings.IS_HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return private(response)


@require_POST
def answer(request: HttpRequest, code: str) -> HttpResponse:
    """The person's yes or no, or one of the failures a real wallet may meet, back to the Zone."""
    wallet = _wallet_or_404(code)
    question, person = _question(request, request.POST), _person(request, wallet)
    if question is None or person is None:
        return HttpResponseBadRequest("The request is not one of a registered application.")
    now = clock.database_now()
    word = request.POST.get("answer", "")
    failure = "" if word == "agree" else word
    if failure and failure not in BindFailureReason.values:
        failure = _CANCELLED.value
    if not failure and question.purpose == "bind":
        failure = _obstacle(wallet, person)
    if not failure and question.purpose == "bind":
        agreement = agreements.sign_agreement(
            account=person, now=now, external_agreement_no=question.external_agreement_no
        )
        _tell_zone(wallet, agreement)
    params = messages.return_params(
        wallet_code=code,
        purpose=question.purpose,
        state=question.state,
        now=now,
        account=person,
        failure_reason=failure,
    )
    address = f"{question.return_to}?{urlencode(params)}"
    return private(HttpResponse(status=303, headers={"Location": address}))


@require_safe
def account(request: HttpRequest, code: str) -> HttpResponse:
    """The person's own settings in the wallet: password-free payment, and what Apple would say."""
    wallet = _wallet_or_404(code)
    person = _person(request, wallet)
    if person is None or request.GET.get("switch"):
        return _people_page(request, wallet, None)
    return _account_page(request, wallet, person)


@require_POST
def change_agreement(request: HttpRequest, code: str) -> HttpResponse:
    """Pause, resume or end password-free payment from the wallet's side, and tell the Zone."""
    wallet, person = _signed_in_or_404(request, code)
    agreement = agreements.find_open_agreement(person)
    if agreement is None:
        raise Http404
    now, wanted = clock.database_now(), request.POST.get("status", "")
    if wanted not in SandboxAgreement.Status.values:
        raise Http404
    try:
        if wanted == SandboxAgreement.Status.UNSIGN:
            agreements.end_agreement(agreement=agreement, now=now)
        else:
            agreements.change_agreement(
                agreement=agreement, status=SandboxAgreement.Status(wanted), now=now
            )
    except agreements.UnbindingNotAllowed:
        return _account_page(request, wallet, person, is_refused=True, status=409)
    _tell_zone(wallet, agreement)
    return _to_account(code)


@require_POST
def change_unbinding(request: HttpRequest, code: str) -> HttpResponse:
    """What Apple's side will answer when somebody wants to unbind this person."""
    _, person = _signed_in_or_404(request, code)
    person.allows_unbinding = request.POST.get("allows") == "yes"
    person.save(update_fields=["allows_unbinding"])
    return _to_account(code)


@require_POST
def leave(request: HttpRequest, code: str) -> HttpResponse:
    """Sign out of the wallet."""
    wallet = _wallet_or_404(code)
    response = _to_account(code)
    response.delete_cookie(_cookie_name(wallet))
    return response


def _obstacle(wallet: Wallet, person: SandboxAccount) -> str:
    """Why this person cannot agree to password-free payment, or nothing."""
    if not person.is_adult:
        return BindFailureReason.UNDER_AGE.value
    if person.storefront != wallet.storefront:
        return BindFailureReason.STOREFRONT_MISMATCH.value
    return ""


def _tell_zone(wallet: Wallet, agreement: SandboxAgreement) -> None:
    """Notify the Zone, unless this wallet is of the kind that keeps changes to itself."""
    is_change_of_ours = agreement.status != SandboxAgreement.Status.NORMAL
    if is_change_of_ours and not wallet.notifies_cancel:
        return
    receive_news(wallet=wallet, params=messages.news_params(agreement))


def _wallet_or_404(code: str) -> Wallet:
    wallet = Wallet.objects.filter(code=code, connector="sandbox").first()
    if wallet is None or not settings.ZONE_SANDBOX:
        raise Http404
    return wallet


def _signed_in_or_404(request: HttpRequest, code: str) -> tuple[Wallet, SandboxAccount]:
    wallet = _wallet_or_404(code)
    person = _person(request, wallet)
    if person is None:
        raise Http404
    return wallet, person


def _cookie_name(wallet: Wallet) -> str:
    return f"sandbox_{wallet.code.lower()}"


def _person(request: HttpRequest, wallet: Wallet) -> SandboxAccount | None:
    try:
        public_id = signing.loads(request.COOKIES.get(_cookie_name(wallet), ""), salt=_SALT)
    except signing.BadSignature:
        return None
    return SandboxAccount.objects.filter(wallet_code=wallet.code, public_id=public_id).first()


def _question(request: HttpRequest, values: dict[str, str]) -> Question | None:
    """The Zone's question, or None when its return address is not a registered one."""
    question = Question(
        purpose=values.get("purpose", ""),
        state=values.get("state", ""),
        return_to=values.get("return_to", ""),
        language=values.get("language", ""),
        external_agreement_no=values.get("external_agreement_no", ""),
    )
    name = _RETURN_NAMES.get(question.purpose)
    is_here = url_has_allowed_host_and_scheme(question.return_to, {request.get_host()})
    if name is None or not question.state or not is_here:
        return None
    parts = urlsplit(question.return_to)
    try:
        match = resolve(parts.path)
    except Resolver404:
        return None
    return question if match.view_name == name and not parts.query else None


def _people_page(request: HttpRequest, wallet: Wallet, question: Question | None) -> HttpResponse:
    people = SandboxAccount.objects.filter(wallet_code=wallet.code)
    wanted = request.GET.get("q", "").strip()
    if wanted:
        people = people.filter(display_name__icontains=wanted) | people.filter(
            last_four=wanted[-4:]
        )
    return _render(
        request,
        "sandbox/people.html",
        {
            "wallet": wallet,
            "question": question,
            "people": [
                *people.exclude(note="").order_by("id")[:_PEOPLE_PER_PAGE],
                *people.filter(note="").order_by("-id")[:_PEOPLE_PER_PAGE],
            ],
            "wanted": wanted,
        },
    )


def _account_page(
    request: HttpRequest,
    wallet: Wallet,
    person: SandboxAccount,
    *,
    is_refused: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {
        "wallet": wallet,
        "person": person,
        "agreement": agreements.find_open_agreement(person),
        "past": person.agreements.filter(status=SandboxAgreement.Status.UNSIGN).order_by(
            "-changed_at"
        )[:5],
        "is_refused": is_refused,
    }
    return _render(request, "sandbox/account.html", context, status=status)


def _to_account(code: str) -> HttpResponse:
    address = reverse("members:sandbox:account", args=[code])
    return private(HttpResponse(status=303, headers={"Location": address}))


def _render(
    request: HttpRequest, template: str, context: dict[str, object], status: int = 200
) -> HttpResponse:
    return private(render(request, template, context, status=status))
