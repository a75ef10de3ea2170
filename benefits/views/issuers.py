"""The door by which providers tell us what became of an order, signed as our requests to them are.

`POST /ingest/v1/issuers/<code>/messages` with `Zone-Timestamp`, `Zone-Signature` (the recipe of
`benefits.providers.http.sign`, with our path) and a JSON body: `id`, a number of the message that a
repeat repeats; `claim`, the order's Idempotency-Key; and what `GET /issues/<key>` would answer,
`status` issued, refused or pending with its `reference`, `code`, `redeem_url` or `reason`.
202 means that it is kept; the same message again is 200.

A wallet that keeps vouchers speaks its own tongue at the same address: a form signed with its key,
`notify_id`, `app_id` and, in `biz_content`, `out_biz_no`, `voucher_id` and the voucher's `status`.
It wants the word `success` back and sends again until it gets it.
"""

import hmac
import re
import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from benefits.models import ProviderConfig
from benefits.providers import voucher_dialect as dialect
from benefits.providers.http import ANSWER_BYTES_MAX, sign
from benefits.providers.registry import ProviderClosed, account_of, secret_of
from benefits.providers.voucher_dialect import DialectError
from benefits.providers.wallet_vouchers import wallet_news
from benefits.services.provider_messages import keep_message
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.vault import VaultError
from zone.members.access import open_to_all
from zone.partners import limiter
from zone.partners.parsing import parse_json

CLOCK_SECONDS_MAX = 300
POLICY = limiter.Policy("issuer-messages", 12_000, 60)
_ID_FORM = re.compile(r"[\x21-\x7e]{1,64}")
_CLAIM_FORM = re.compile(r"clm_[0-9A-Z]{26}")


@open_to_all
@csrf_exempt
def message(request: HttpRequest, code: str) -> HttpResponse:
    """One message kept. Nothing is done with it here: the worker does, and may be asked again."""
    if request.method != "POST":
        return _say(405, "use POST")
    if int(request.headers.get("Content-Length") or 0) > ANSWER_BYTES_MAX:
        return _say(413, "too long")
    provider = ProviderConfig.objects.filter(code=code, is_active=True).first()
    if provider is not None and provider.is_wallet:
        return _wallet_message(request, provider)
    if provider is None or not _is_signed(request, provider):
        return _say(401, "not signed")  # One answer for an unknown provider and a wrong signature.
    try:
        limiter.refuse_over_limit(limiter.count_call([POLICY], f"issuer:{provider.pk}"))
        body = parse_json(request.body)
    except ZoneError as refusal:
        return _say(refusal.http_status, str(refusal))
    if not isinstance(body, dict):
        return _say(422, "not an object")
    number, claim = str(body.get("id", "")), str(body.get("claim", ""))
    if not (_ID_FORM.fullmatch(number) and _CLAIM_FORM.fullmatch(claim)):
        return _say(422, "id or claim is missing or malformed")
    is_new = keep_message(
        provider=provider, message_id=number, claim=claim, body=body, now=database_now()
    )
    return _say(202 if is_new else 200, "kept")


def _wallet_message(request: HttpRequest, provider: ProviderConfig) -> HttpResponse:
    try:
        account = account_of(provider)
        news = dialect.read_notification(
            request.body, app_id=account.app_id, key=account.wallet_key
        )
        limiter.refuse_over_limit(limiter.count_call([POLICY], f"issuer:{provider.pk}"))
    except (DialectError, ProviderClosed, VaultError):
        return _say(401, "not signed")
    except ZoneError as refusal:
        return _say(refusal.http_status, str(refusal))
    if not (_ID_FORM.fullmatch(news.notify_id) and _CLAIM_FORM.fullmatch(news.out_biz_no)):
        return _say(422, "id or number is missing or malformed")
    keep_message(
        provider=provider,
        message_id=news.notify_id,
        claim=news.out_biz_no,
        body=wallet_news(news),
        now=database_now(),
    )
    return HttpResponse("success", content_type="text/plain")


def _is_signed(request: HttpRequest, provider: ProviderConfig) -> bool:
    stamp = request.headers.get("Zone-Timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    try:
        secret = secret_of(provider)
    except VaultError:
        return False
    wanted = sign(secret, method="POST", path=request.path, at=int(stamp), body=request.body)
    given = request.headers.get("Zone-Signature", "")
    is_fresh = abs(time.time() - int(stamp)) <= CLOCK_SECONDS_MAX
    return is_fresh and hmac.compare_digest(wanted.encode(), given.encode())


def _say(status: int, word: str) -> HttpResponse:
    return JsonResponse({"status": word}, status=status)
