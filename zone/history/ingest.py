"""The signed ingest door: a wallet's core posts bills, refunds and subscription news.

Paths, headers, result codes and the meaning of S, F and U are those of AlipayHK's points feed and
of Alipay+ (https://docs.alipayplus.com): after S and F the sender stops, after U it tries again.
"""

import logging
from datetime import UTC, timedelta

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from zone.core import clock
from zone.core.errors import ZoneError
from zone.history.services.ingest import Message, Outcome, ingest_batch
from zone.partners import limiter
from zone.partners.errors import RateLimited
from zone.partners.ingest_clients import IngestClient
from zone.partners.parsing import parse_json
from zone.partners.wallet_signatures import (
    BadKey,
    BadSignature,
    load_public_key,
    read_request_time,
    read_signature_header,
    string_to_sign,
    verify,
)

BODY_BYTES_MAX = 64 * 1024
CLOCK_SLACK = timedelta(minutes=10)
POLICY = limiter.Policy("ingest", 12_000, 60)
log = logging.getLogger(__name__)


class Refused(Exception):
    """The answer to a message that is not taken in."""

    def __init__(self, status: int, code: str, message: str, result_status: str = "F") -> None:
        self.status, self.code, self.message = status, code, message
        self.result_status = result_status
        super().__init__(code)


@csrf_exempt
def ingest(request: HttpRequest, wallet_code: str, message_path: str) -> HttpResponse:
    """One message in, one result object out; a repeat of a message is a success."""
    try:
        if request.method != "POST":
            raise Refused(405, "PARAM_ILLEGAL", "use POST")
        _refuse_large(request)
        client = _authenticated(request, wallet_code)
        limiter.refuse_over_limit(limiter.count_call([POLICY], client.client_id))
        body = _body(request)
        receipt = ingest_batch([Message(wallet_code, message_path, body)])[0]
    except Refused as refusal:
        log.warning(
            "ingest refused",
            extra={"wallet": wallet_code, "path": message_path, "why": refusal.message},
        )
        return _answer(refusal.status, refusal.code, refusal.result_status, refusal.message)
    except RateLimited:
        return _answer(429, "REQUEST_TRAFFIC_EXCEED_LIMIT", "U", "too many messages, try later")
    except DatabaseError:
        log.exception("ingest: no storage", extra={"wallet": wallet_code, "path": message_path})
        return _answer(503, "UNKNOWN_EXCEPTION", "U", "try again later")
    if receipt.outcome == Outcome.ILLEGAL:
        return _answer(400, "PARAM_ILLEGAL", "F", receipt.reason)
    if receipt.outcome == Outcome.INCONSISTENT:
        # Ours to look into: the message waits on the operators' board.
        log.error(
            "ingest: inconsistent message",
            extra={"wallet": wallet_code, "path": message_path, "client": client.client_id},
        )
        return _answer(200, "REPEAT_REQ_INCONSISTENT", "F", receipt.reason)
    return _answer(200, "SUCCESS", "S", "success")


def _refuse_large(request: HttpRequest) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdecimal()) or int(length) > BODY_BYTES_MAX:
        raise Refused(413, "PARAM_ILLEGAL", f"the body is larger than {BODY_BYTES_MAX} bytes")
    if len(request.body) > BODY_BYTES_MAX:
        raise Refused(413, "PARAM_ILLEGAL", f"the body is larger than {BODY_BYTES_MAX} bytes")


def _authenticated(request: HttpRequest, wallet_code: str) -> IngestClient:
    """The client whose key signed exactly this request, now."""
    client_id = request.headers.get("Client-Id", "")
    time = request.headers.get("Request-Time", "")
    keys = list(
        IngestClient.objects.filter(client_id=client_id, wallet_code=wallet_code, is_active=True)
    )
    if not keys:
        raise Refused(401, "INVALID_CLIENT", "no such client for this wallet")
    try:
        header = read_signature_header(request.headers.get("Signature", ""))
        client = next(key for key in keys if key.key_version == header.key_version)
        verify(
            load_public_key(client.public_key),
            message=string_to_sign(
                method="POST", path=request.path, client_id=client_id, time=time, body=request.body
            ),
            signature=header.signature,
        )
    except (BadSignature, BadKey, StopIteration) as error:
        raise Refused(401, "INVALID_SIGNATURE", "the signature does not verify") from error
    try:
        signed_at = read_request_time(time)
    except ValueError as error:
        raise Refused(401, "PARAM_ILLEGAL", "Request-Time: no ISO 8601 time with a zone") from error
    if abs(clock.now() - signed_at) > CLOCK_SLACK:
        raise Refused(401, "PARAM_ILLEGAL", "Request-Time: more than ten minutes off")
    return client


def _body(request: HttpRequest) -> object:
    try:
        return parse_json(request.body)
    except ZoneError as error:
        raise Refused(400, "PARAM_ILLEGAL", f"the body is no JSON: {error}") from error


def _answer(status: int, code: str, result_status: str, message: str) -> HttpResponse:
    response = JsonResponse(
        {
            "result": {
                "resultCode": code,
                "resultStatus": result_status,
                "resultMessage": message,
            }
        },
        status=status,
    )
    response["Response-Time"] = clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    response["Cache-Control"] = "no-store"
    if status == 405:
        response["Allow"] = "POST"
    return response
