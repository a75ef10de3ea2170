"""Keys: made, shown once, checked, ended."""

import hmac
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, Least
from django.utils.translation import gettext_lazy as _

from zone.core.errors import ZoneError
from zone.partners.credentials import hash_secret, new_secret
from zone.partners.models import AccessToken, Partner, PartnerKey
from zone.partners.services.tokens import ZoneNow


class KeyIsOver(ZoneError):
    code = "key_is_over"
    sentence = _("This key has ended: make a new one.")


# Compared with when no key is found, so that both ways take the same work.
_NOBODY = hash_secret("nobody")


def create_key(
    *,
    partner: Partner,
    livemode: bool,
    scopes: list[str],
    networks: list[str] | None = None,
    ends_at: datetime | None = None,
    name: str = "",
    actor: str = "system",
) -> tuple[PartnerKey, str]:
    """A new key and its secret. The secret is returned here and can never be read again."""
    secret = new_secret("zks", "live" if livemode else "test")
    key = PartnerKey.objects.create(
        partner=partner,
        livemode=livemode,
        name=name,
        secret_hash=hash_secret(secret),
        secret_hint=secret[-4:],
        scopes=scopes,
        networks=networks or [],
        ends_at=ends_at,
        created_by=actor,
    )
    return key, secret


def rotate_key(*, key: PartnerKey, overlap: timedelta, actor: str) -> tuple[PartnerKey, str]:
    """A new key that may do what `key` may, and its secret; the old one ends after `overlap`.

    Until then both work, so that a partner changes over without a gap. An end that the old key had
    already is not moved further away. Raises KeyIsOver.
    """
    with transaction.atomic():
        held = PartnerKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
        is_over = PartnerKey.objects.filter(pk=key.pk, ends_at__lte=ZoneNow()).exists()
        if held.revoked_at is not None or is_over:
            raise KeyIsOver
        made, secret = create_key(
            partner=key.partner,
            livemode=held.livemode,
            scopes=held.scopes,
            networks=held.networks,
            name=held.name,
            actor=actor,
        )
        PartnerKey.objects.filter(pk=key.pk).update(
            ends_at=Least(Coalesce("ends_at", ZoneNow() + overlap), ZoneNow() + overlap)
        )
    return made, secret


def find_key(*, key_id: str, secret: str) -> PartnerKey | None:
    """The key with this id and secret, unless it ended or was revoked; in equal time either way."""
    key = (
        PartnerKey.objects.filter(
            Q(ends_at=None) | Q(ends_at__gt=ZoneNow()), public_id=key_id, revoked_at=None
        )
        .select_related("partner")
        .first()
    )
    stored = bytes(key.secret_hash) if key else _NOBODY
    is_right = hmac.compare_digest(stored, hash_secret(secret))
    return key if key and is_right else None


def revoke_key(*, key: PartnerKey, actor: str) -> bool:
    """End a key and its tokens, effective at once. False when it was revoked before."""
    is_first = PartnerKey.objects.filter(pk=key.pk, revoked_at=None).update(
        revoked_at=ZoneNow(), revoked_by=actor
    )
    AccessToken.objects.filter(key=key, revoked_at=None).update(revoked_at=ZoneNow())
    return bool(is_first)
