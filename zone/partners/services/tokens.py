"""Access tokens: opaque, 15 minutes, kept as a hash."""

from datetime import timedelta

from django.db.models import BooleanField, DateTimeField, ExpressionWrapper, Func, Q

from zone.core import clock
from zone.partners.credentials import hash_secret, is_well_formed, new_secret
from zone.partners.models import AccessToken, PartnerKey

TOKEN_SECONDS = 900


class ZoneNow(Func):
    """The database's clock inside a query."""

    function = "zone_now"
    output_field = DateTimeField()


def issue_token(*, key: PartnerKey, scopes: list[str]) -> str:
    """A fresh token of `key` with `scopes`; returned once, stored as a hash."""
    secret = new_secret("zat", key.mode)
    now = clock.database_now()
    AccessToken.objects.create(
        key=key,
        token_hash=hash_secret(secret),
        scopes=scopes,
        issued_at=now,
        expires_at=now + timedelta(seconds=TOKEN_SECONDS),
    )
    PartnerKey.objects.filter(pk=key.pk).update(last_token_at=now)
    return secret


def find_token(secret: str) -> AccessToken | None:
    """The token with its key and partner, or None.

    `is_usable` and `is_expired` are decided by the database's clock, so a web node whose own
    clock is wrong neither accepts nor refuses by it.
    """
    if not is_well_formed(secret):
        return None
    now = ZoneNow()
    usable = Q(revoked_at=None, key__revoked_at=None) & (
        Q(key__ends_at=None) | Q(key__ends_at__gt=now)
    )
    return (
        AccessToken.objects.filter(token_hash=hash_secret(secret))
        .select_related("key__partner")
        .annotate(
            is_usable=ExpressionWrapper(usable, output_field=BooleanField()),
            is_expired=ExpressionWrapper(Q(expires_at__lte=now), output_field=BooleanField()),
        )
        .first()
    )


def revoke_token(*, key: PartnerKey, secret: str) -> None:
    """End a token of `key`, effective at once. Anything else is left alone, silently (RFC 7009)."""
    if not is_well_formed(secret):
        return
    AccessToken.objects.filter(
        token_hash=hash_secret(secret), key=key, revoked_at__isnull=True
    ).update(revoked_at=ZoneNow())
