"""Every error code of the API: its status, its title, and the page that explains it.

The title is the same for every occurrence of a code (RFC 9457 section 3.1.3); what happened this
time is the `detail`.
"""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class ProblemKind:
    status: int
    title: Any
    # What to do about it, for the page at /problems/<code>.
    advice: Any
    # Facts of the refusal that are shown as members of the problem.
    members: tuple[str, ...] = ()
    is_retryable: bool = False
    # How a fact is written down where it is not written as it is.
    formats: dict[str, str] = field(default_factory=dict)


LIMIT_FORMAT = "{}_per_member"

_FIX = _("Correct the request and send it again, with the same key.")
_FINAL = _("This outcome is final for its key. Decide first, then use a new key.")
_WAIT = _("Wait as long as Retry-After says, then send the same request with the same key.")
_TOKEN = _("Get a token at /api/v1/oauth/token and send it as `Authorization: Bearer`.")

PROBLEMS: dict[str, ProblemKind] = {
    "malformed_json": ProblemKind(400, _("The body is not valid JSON"), _FIX),
    "invalid_header": ProblemKind(400, _("A header is not valid"), _FIX),
    "unknown_parameter": ProblemKind(400, _("Unknown query parameter"), _FIX),
    "invalid_parameter": ProblemKind(400, _("A query parameter is not valid"), _FIX),
    "invalid_limit": ProblemKind(400, _("The limit is not valid"), _FIX),
    "invalid_cursor": ProblemKind(
        400, _("The cursor is not valid"), _("Start the list again without a cursor.")
    ),
    "idempotency_key_required": ProblemKind(
        400, _("Idempotency-Key is missing"), _("Make a UUIDv7, save it, then send it as the key.")
    ),
    "idempotency_key_invalid": ProblemKind(400, _("Idempotency-Key is not valid"), _FIX),
    "unknown_version": ProblemKind(400, _("Unknown version"), _FIX),
    "token_missing": ProblemKind(401, _("A token is needed"), _TOKEN),
    "token_invalid": ProblemKind(401, _("The token is not valid"), _TOKEN),
    "token_expired": ProblemKind(401, _("The token has expired"), _TOKEN),
    "insufficient_scope": ProblemKind(
        403,
        _("The token lacks a scope"),
        _("Ask for a token with the scope that `required_scope` names."),
        ("required_scope",),
    ),
    "source_not_allowed": ProblemKind(
        403, _("This network is not allowed"), _("Call from a network that the key lists.")
    ),
    "partner_suspended": ProblemKind(
        403, _("The partner is suspended"), _("Write to your contact at the programme.")
    ),
    "https_required": ProblemKind(
        403, _("HTTPS is required"), _("Use https, and revoke any token that was sent in clear.")
    ),
    "not_found": ProblemKind(
        404, _("Not found"), _("Check the address and the mode: live and test never meet.")
    ),
    "method_not_allowed": ProblemKind(
        405, _("This method is not allowed"), _("The header Allow lists the methods.")
    ),
    "not_acceptable": ProblemKind(
        406, _("No acceptable form"), _("Accept application/json and application/problem+json.")
    ),
    "member_suspended": ProblemKind(409, _("The member is suspended"), _FINAL),
    "member_erased": ProblemKind(409, _("The member was erased"), _FINAL),
    "binding_required": ProblemKind(
        409, _("An active binding is needed"), _("Ask the member to bind, then use a new key.")
    ),
    "already_enrolled": ProblemKind(
        409, _("Already enrolled"), _("Use the member that `existing` names."), ("existing",)
    ),
    "invalid_state": ProblemKind(409, _("The state does not allow it"), _FINAL, ("status",)),
    "stale_revision": ProblemKind(409, _("Older than what is known"), _FINAL),
    "reference_conflict": ProblemKind(
        409, _("The reference is taken"), _("Use another external_id, or read what it names.")
    ),
    "idempotency_in_progress": ProblemKind(
        409, _("The first request still runs"), _WAIT, is_retryable=True
    ),
    "not_started": ProblemKind(409, _("The benefit has not started"), _FINAL, ("opens_at",)),
    "ended": ProblemKind(409, _("The benefit has ended"), _FINAL),
    "paused": ProblemKind(409, _("The benefit is paused"), _FINAL),
    "out_of_stock": ProblemKind(409, _("The benefit is out of stock"), _FINAL, ("again_at",)),
    "budget_exhausted": ProblemKind(409, _("The benefit's budget is used up"), _FINAL),
    "limit_reached": ProblemKind(
        409,
        _("A limit is reached"),
        _FINAL,
        ("limit", "again_at"),
        formats={"limit": LIMIT_FORMAT},
    ),
    "already_chosen": ProblemKind(
        409, _("Another benefit was chosen instead"), _FINAL, ("chosen",)
    ),
    "not_eligible": ProblemKind(409, _("The member is not eligible"), _FINAL, ("reason",)),
    "code_not_usable": ProblemKind(409, _("The code cannot be used"), _FINAL),
    "already_redeemed": ProblemKind(409, _("Already redeemed"), _FINAL, ("redeemed_at",)),
    "order_not_eligible": ProblemKind(
        409, _("The order does not fit"), _("Correct the order, then use a new key."), ("reason",)
    ),
    "insufficient_credits": ProblemKind(409, _("Not enough credits"), _FINAL, ("available",)),
    "precondition_failed": ProblemKind(
        412, _("The object has changed"), _("Read it again, then send the edit with its new ETag.")
    ),
    "body_too_large": ProblemKind(413, _("The body is too large"), _FIX),
    "unsupported_media_type": ProblemKind(415, _("The media type is not supported"), _FIX),
    "validation_failed": ProblemKind(422, _("The request is not valid"), _FIX),
    "idempotency_key_reused": ProblemKind(
        422, _("The key was used for another request"), _("Use a new key for a new request.")
    ),
    "rate_limited": ProblemKind(
        429, _("Too many requests"), _WAIT, ("violated_policies",), is_retryable=True
    ),
    "internal": ProblemKind(
        500,
        _("Something went wrong on our side"),
        _("Send the same request with the same key again; quote the request id to support."),
        is_retryable=True,
    ),
    "unavailable": ProblemKind(503, _("Not available right now"), _WAIT, is_retryable=True),
    "read_only": ProblemKind(503, _("Read-only right now"), _WAIT, is_retryable=True),
}


_BY_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    503: "unavailable",
}


def code_for_status(status: int) -> str:
    """The code of a bare HTTP status, for faults that carry no code of their own."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "internal" if status >= 500 else "invalid_header"
