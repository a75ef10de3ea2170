"""Problem documents: every refusal and fault of the API in one shape (RFC 9457)."""

import json
import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.utils.encoding import force_str
from rest_framework import exceptions

from zone.core import logs
from zone.core.errors import NotFound, Unavailable, ZoneError
from zone.partners.catalogue import PROBLEMS, code_for_status
from zone.partners.errors import ApiError, ReadOnly, ReferenceConflict, ValidationFailed
from zone.partners.fields import format_instant

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
RETRY_SECONDS = 2
_ERRORS_MAX = 50
_POINTER_MAX = 200
_READ_ONLY = "25006"


def render_json(value: Any) -> bytes:
    """`value` as compact UTF-8. A lone surrogate becomes the JSON escape it came from."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=force_str)
    return text.encode("utf-8", "backslashreplace")


def problem_body(error: ZoneError) -> dict[str, Any]:
    """The problem document of a refusal, in the language that is active."""
    kind = PROBLEMS.get(error.code)
    body: dict[str, Any] = {
        "type": f"{settings.SITE_URL}/problems/{error.code}",
        "title": force_str(kind.title if kind else error.sentence),
        "status": error.http_status,
        "code": error.code,
        "detail": str(error),
        "request_id": logs.request_id.get(),
        # The catalogue's word: a stored outcome is final, even where a page would say "try later".
        "retryable": kind.is_retryable if kind else error.is_retryable,
    }
    for name in kind.members if kind else ():
        if name in error.facts:
            value = error.facts[name]
            if isinstance(value, datetime):
                value = format_instant(value)
            body[name] = kind.formats[name].format(value) if name in kind.formats else value
    if errors := error.facts.get("errors"):
        body["errors"] = errors
    return body


def problem_response(error: ZoneError) -> HttpResponse:
    """The HTTP answer that says no with `error`."""
    response = HttpResponse(
        render_json(problem_body(error)), status=error.http_status, content_type=PROBLEM_TYPE
    )
    for name, value in getattr(error, "headers", {}).items():
        response[name] = value
    if error.http_status == 503 and "Retry-After" not in response:
        response["Retry-After"] = str(RETRY_SECONDS)
    if error.http_status == 401 and "WWW-Authenticate" not in response:
        # RFC 6750 section 3: no error attribute when no token was sent.
        why = "" if error.code == "token_missing" else ', error="invalid_token"'
        response["WWW-Authenticate"] = f'Bearer realm="partner-api"{why}'
    response.problem_code = error.code
    return response


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's hook: whatever a view raised becomes a problem document, never a bare 500."""
    response = problem_response(as_refusal(error))
    if response.status_code == 405:
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


def as_refusal(error: Exception) -> ZoneError:
    """The refusal that `error` means to a caller; faults of ours are logged here, once."""
    if isinstance(error, ZoneError):
        return error if error.code in PROBLEMS else refusal_of_status(error.http_status)
    if isinstance(error, Http404 | exceptions.NotFound):
        return NotFound()
    if isinstance(error, exceptions.ValidationError):
        return ValidationFailed(errors=list_errors(error.detail))
    if isinstance(error, exceptions.APIException):
        return refusal_of_status(error.status_code)
    if isinstance(error, DatabaseError | InterfaceError):
        return _refusal_of_database(error)
    logger.error("unhandled fault", exc_info=error)
    return refusal_of_status(500)


def refusal_of_status(status: int) -> ApiError:
    """The refusal that a bare HTTP status stands for."""
    refusal = ApiError()
    refusal.code = code_for_status(status)  # type: ignore[misc]
    kind = PROBLEMS[refusal.code]
    refusal.http_status = kind.status  # type: ignore[misc]
    refusal.sentence = kind.title  # type: ignore[misc]
    refusal.is_retryable = kind.is_retryable  # type: ignore[misc]
    return refusal


def _refusal_of_database(error: Exception) -> ZoneError:
    """A database that is away is 503; a guard that no service translated is 409, and logged."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if sqlstate == _READ_ONLY:
        return ReadOnly()
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("database unavailable", extra={"sqlstate": sqlstate})
        return Unavailable()
    logger.error("database refused", exc_info=error, extra={"sqlstate": sqlstate})
    if isinstance(error, IntegrityError):
        return ReferenceConflict()
    if isinstance(error, DataError):
        return ValidationFailed()
    return refusal_of_status(500)


def list_errors(detail: Any, pointer: str = "") -> list[dict[str, str]]:
    """DRF's nested error details as rows of pointer (RFC 6901), code and sentence."""
    rows: list[dict[str, str]] = []
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else f"/{_escape(str(name))}"
            rows += list_errors(inner, pointer + own)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_row = isinstance(inner, dict | list)
            rows += list_errors(inner, f"{pointer}/{index}" if is_row else pointer)
    else:
        code = getattr(detail, "code", "invalid")
        rows.append({"pointer": pointer[:_POINTER_MAX], "code": code, "detail": force_str(detail)})
    return [row for row in rows if row["detail"]][:_ERRORS_MAX]


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
