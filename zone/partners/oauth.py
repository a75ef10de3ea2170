"""Tokens: OAuth 2.0 client credentials (RFC 6749 section 4.4) and revocation (RFC 7009)."""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from zone.partners import limiter
from zone.partners.declarations import Answer, operation
from zone.partners.errors import UnsupportedMediaType
from zone.partners.models import PartnerKey
from zone.partners.network import is_inside, source_address
from zone.partners.objects import Shape
from zone.partners.parsing import read_bytes
from zone.partners.resources import OpenResource, as_response, render
from zone.partners.services.idempotency import StoredAnswer
from zone.partners.services.keys import find_key
from zone.partners.services.tokens import TOKEN_SECONDS, issue_token, revoke_token

_FORM = "application/x-www-form-urlencoded"
_FIELDS_MAX = 20


class OAuthRefusal(Exception):
    """A no in the words of RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class TokenInput(Shape):
    """The form of a token request; the key travels as HTTP Basic."""

    grant_type = serializers.ChoiceField(choices=["client_credentials"])
    scope = serializers.CharField(required=False, help_text="Space-separated subset of the key's.")


class TokenObject(Shape):
    """A token, shown this once."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(min_value=1)
    scope = serializers.CharField()


class RevokeInput(Shape):
    """The form of a revocation."""

    token = serializers.CharField()
    token_type_hint = serializers.CharField(required=False)


class OAuthError(Shape):
    """RFC 6749 section 5.2."""

    error = serializers.ChoiceField(
        choices=[
            "invalid_request",
            "invalid_client",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
        ]
    )
    error_description = serializers.CharField(required=False)


@operation(
    summary="Get a token",
    tag="tokens",
    scope=None,
    body=TokenInput,
    media_type=_FORM,
    answers={200: TokenObject, 400: OAuthError, 401: OAuthError},
    refusals=("rate_limited",),
)
def create_token(key: PartnerKey, form: dict[str, str]) -> Answer:
    """A bearer token of 900 seconds with the key's scopes, or with the subset that is named."""
    if "grant_type" not in form:
        raise OAuthRefusal("invalid_request", "grant_type is required.")
    if form["grant_type"] != "client_credentials":
        raise OAuthRefusal("unsupported_grant_type", "Only client_credentials is offered.")
    wanted = form.get("scope", "").split()
    if not set(wanted) <= set(key.scopes):
        raise OAuthRefusal("invalid_scope", "The key does not hold every scope that was named.")
    scopes = [scope for scope in key.scopes if not wanted or scope in wanted]
    secret = issue_token(key=key, scopes=scopes)
    return Answer(
        200,
        {
            "access_token": secret,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(scopes),
        },
        {"Pragma": "no-cache"},
    )


@operation(
    summary="Revoke a token",
    tag="tokens",
    scope=None,
    body=RevokeInput,
    media_type=_FORM,
    answers={200: None, 400: OAuthError, 401: OAuthError},
    refusals=("rate_limited",),
)
def revoke(key: PartnerKey, form: dict[str, str]) -> Answer:
    """End a token of this key at once. An unknown or foreign token gets the same answer."""
    if not form.get("token"):
        raise OAuthRefusal("invalid_request", "token is required.")
    revoke_token(key=key, secret=form["token"])
    return Answer(200, None)


class OAuthResource(OpenResource):
    """The two addresses that take a key's secret, and the only ones with RFC 6749 errors."""

    def answer(self, request: Request, **path: str) -> HttpResponse:
        http = request._request
        address = source_address(http)
        # By address first, so that guessing at secrets never uses up the quota of a real key.
        self.count_or_refuse(f"address:{address}")
        try:
            key = authenticated_key(http, address)
            self.count_or_refuse(key.public_id)
            answer = self.operations[(request.method or "").lower()].run(key, read_form(http))
        except OAuthRefusal as refusal:
            return refuse(refusal)
        if answer.data is None:
            return as_response(StoredAnswer(200, "application/json", b""), answer.headers)
        return as_response(render(answer), answer.headers)

    def count_or_refuse(self, subject: str) -> None:
        """Counted in the database: this limit stays exact whatever happens to Redis."""
        window = limiter.count_in_database(limiter.TOKEN, subject)
        self.windows = [window]
        limiter.refuse_over_limit(self.windows)


def authenticated_key(http: HttpRequest, address: str) -> PartnerKey:
    """The key in the Basic credentials (RFC 6749 section 2.3.1). Raises OAuthRefusal."""
    scheme, _, encoded = http.headers.get("Authorization", "").strip().partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        pair = ""
    key_id, _, secret = pair.partition(":")
    key_id, secret = unquote_plus(key_id), unquote_plus(secret)
    is_readable = scheme.lower() == "basic" and "\x00" not in pair and "\x00" not in key_id
    key = find_key(key_id=key_id, secret=secret) if is_readable else None
    if key is None:
        raise OAuthRefusal("invalid_client", "The key is not known, has ended, or was revoked.")
    if not key.partner.is_active:
        raise OAuthRefusal("unauthorized_client", "This partner is suspended.")
    if key.networks and not is_inside(address, key.networks):
        raise OAuthRefusal("unauthorized_client", "This key may not be used from this network.")
    return key


def read_form(http: HttpRequest) -> dict[str, str]:
    """The form's fields, each at most once. Raises UnsupportedMediaType, OAuthRefusal."""
    if http.content_type != _FORM:
        raise UnsupportedMediaType
    if http.META.get("QUERY_STRING"):
        raise OAuthRefusal("invalid_request", "Send fields in the body, not in the address.")
    try:
        pairs = parse_qsl(
            read_bytes(http).decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError as error:
        raise OAuthRefusal("invalid_request", "The form cannot be read.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthRefusal("invalid_request", "A field is repeated.")
    if {"client_id", "client_secret", "client_assertion"} & set(form):
        raise OAuthRefusal("invalid_request", "Send the key as HTTP Basic, not in the form.")
    return form


def refuse(refusal: OAuthRefusal) -> HttpResponse:
    status = 401 if refusal.error == "invalid_client" else 400
    body: Any = {"error": refusal.error, "error_description": refusal.description}
    response = as_response(render(Answer(status, body)), {"Pragma": "no-cache"})
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="partner-keys", charset="UTF-8"'
    response.problem_code = refusal.error  # type: ignore[attr-defined]
    return response
