"""How the API says no. Codes are a public promise: add, never rename."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from zone.core.errors import ZoneError


class ApiError(ZoneError):
    """A refusal of the API itself. `headers` go out with the answer."""

    def __init__(self, *, headers: dict[str, str] | None = None, **facts: Any) -> None:
        super().__init__(**facts)
        self.headers = headers or {}


# --- 400: the request cannot be read ------------------------------------------------------------
class MalformedJson(ApiError):
    code = "malformed_json"
    sentence = _("The body is not one JSON value: %(why)s.")
    http_status = 400


class InvalidHeader(ApiError):
    code = "invalid_header"
    sentence = _("The header %(header)s cannot be read.")
    http_status = 400


class UnknownParameter(ApiError):
    code = "unknown_parameter"
    sentence = _("This address takes no such query parameter.")
    http_status = 400


class InvalidParameter(ApiError):
    code = "invalid_parameter"
    sentence = _("A query parameter is not valid.")
    http_status = 400


class InvalidLimit(ApiError):
    code = "invalid_limit"
    sentence = _("limit is a whole number from 1 to 100.")
    http_status = 400


class InvalidCursor(ApiError):
    code = "invalid_cursor"
    sentence = _("cursor is not one of ours, is for other filters, or is older than 24 hours.")
    http_status = 400


class IdempotencyKeyRequired(ApiError):
    code = "idempotency_key_required"
    sentence = _("This call needs the header Idempotency-Key.")
    http_status = 400


class IdempotencyKeyInvalid(ApiError):
    code = "idempotency_key_invalid"
    sentence = _("Idempotency-Key is 1 to 255 visible ASCII characters without spaces.")
    http_status = 400


class UnknownVersion(ApiError):
    code = "unknown_version"
    sentence = _("Zone-Version names no version of this API.")
    http_status = 400


# --- 401 and 403: who is asking -----------------------------------------------------------------
class TokenMissing(ApiError):
    code = "token_missing"
    sentence = _("This call needs a bearer token.")
    http_status = 401


class TokenInvalid(ApiError):
    code = "token_invalid"
    sentence = _("The token is not valid.")
    http_status = 401


class TokenExpired(ApiError):
    code = "token_expired"
    sentence = _("The token has expired. Ask for a new one.")
    http_status = 401


class InsufficientScope(ApiError):
    code = "insufficient_scope"
    sentence = _("The token lacks the scope %(required_scope)s.")
    http_status = 403


class SourceNotAllowed(ApiError):
    code = "source_not_allowed"
    sentence = _("This key may not be used from this network.")
    http_status = 403


class PartnerSuspended(ApiError):
    code = "partner_suspended"
    sentence = _("This partner is suspended.")
    http_status = 403


class HttpsRequired(ApiError):
    code = "https_required"
    sentence = _("Plain HTTP is refused. If a token was sent, revoke it.")
    http_status = 403


# --- 409 and after: the request is understood ---------------------------------------------------
class IdempotencyInProgress(ApiError):
    code = "idempotency_in_progress"
    sentence = _("The first request with this key still runs. Send it again in a moment.")
    http_status = 409
    is_retryable = True

    def __init__(self, **facts: Any) -> None:
        super().__init__(headers={"Retry-After": "1"}, **facts)


class IdempotencyKeyReused(ApiError):
    code = "idempotency_key_reused"
    sentence = _("This key was used for another request.")
    http_status = 422


class ReferenceConflict(ApiError):
    code = "reference_conflict"
    sentence = _("This reference already names something with other content.")
    http_status = 409


class BodyTooLarge(ApiError):
    code = "body_too_large"
    sentence = _("The body is larger than 1 MiB.")
    http_status = 413


class UnsupportedMediaType(ApiError):
    code = "unsupported_media_type"
    sentence = _("The body must be application/json in UTF-8, not compressed.")
    http_status = 415


class ValidationFailed(ApiError):
    """`errors` are rows of pointer, code and detail."""

    code = "validation_failed"
    sentence = _("The request is not valid.")
    http_status = 422


class RateLimited(ApiError):
    code = "rate_limited"
    sentence = _("Too many requests. Wait as long as Retry-After says.")
    http_status = 429
    is_retryable = True


class ReadOnly(ApiError):
    code = "read_only"
    sentence = _("Nothing can be written right now. Reading works.")
    http_status = 503
    is_retryable = True
