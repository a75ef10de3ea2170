"""Who is calling: a bearer token, and nothing else. Cookies, sessions and key secrets are not read."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from zone.partners.errors import (
    PartnerSuspended,
    SourceNotAllowed,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
)
from zone.partners.models import AccessToken, Partner
from zone.partners.network import is_inside, source_address
from zone.partners.services.tokens import find_token


class PartnerTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer zat_…` (RFC 6750 section 2.1)."""

    def authenticate(self, request: Request) -> tuple[Partner, AccessToken]:
        """The partner and its token, in one query; a revoked token or key fails at once.

        Raises TokenMissing, TokenInvalid, TokenExpired, PartnerSuspended, SourceNotAllowed.
        """
        scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            raise TokenMissing
        token = find_token(secret.strip())
        if token is None or not token.is_usable:
            raise TokenInvalid
        if token.is_expired:
            raise TokenExpired
        # Known from here on: the answer's version is the key's, and log lines name the caller.
        request._request.partner_token = token
        key = token.key
        if not key.partner.is_active:
            raise PartnerSuspended
        if key.networks and not is_inside(source_address(request._request), key.networks):
            raise SourceNotAllowed
        return key.partner, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="partner-api"'
