"""Who may enter: an operator in each role, a partner, and people to sign in as.

Passwords, keys and secrets are new each time and live in one file that only its owner may read.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_totp.models import TOTPDevice

from benefits.models import Benefit
from zone.console.roles import ROLES
from zone.console.seed.people import Person
from zone.console.services.factors import secret_text
from zone.console.services.groups import setup_groups
from zone.partners.models import IngestClient, Partner
from zone.partners.scopes import SCOPES
from zone.partners.services.keys import create_key, revoke_key

FILE_NAME = "demo-access.json"
PARTNER = "orchard-shop"
_WORDS = (
    "amber", "basil", "cedar", "coral", "delta", "ember", "fjord", "grove", "hazel", "ivory",
    "jade", "kelp", "lotus", "maple", "nova", "olive", "pearl", "quartz", "river", "sage",
)  # fmt: skip


def access_file() -> Path:
    return Path(settings.ZONE_DATA) / FILE_NAME


def write_access(people: list[Person]) -> Path:
    """Give every role a working operator and the partner a working key, and write them down.

    Safe to repeat: earlier passwords, phones and keys of these operators and this partner stop.
    """
    setup_groups()
    access = {
        "operators": [_operator(role) for role in ROLES],
        "partner": _partner(),
        "ingest": _ingest_client(),
        "members": [
            {"wallet": each.wallet, "user_id": each.user_id, "name": each.name, "why": each.why}
            for each in people
            if each.why
        ],
    }
    path = access_file()
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(access, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def _operator(role: str) -> dict[str, str]:
    username = role.replace(" ", "-")
    words = [secrets.choice(_WORDS) for _word in range(3)]
    password = f"{'-'.join(words)}-{secrets.randbelow(90) + 10}"
    operator, _is_new = User.objects.get_or_create(
        username=username, defaults={"is_staff": True, "email": f"{username}@example.com"}
    )
    operator.set_password(password)
    operator.save(update_fields=["password"])
    operator.groups.set([Group.objects.get(name=role)])
    TOTPDevice.objects.filter(user=operator).delete()
    device = TOTPDevice.objects.create(user=operator, name="phone", confirmed=True)
    return {
        "username": username,
        "password": password,
        "totp_secret": secret_text(device),
        "role": role,
    }


def _partner() -> dict[str, str]:
    partner, _is_new = Partner.objects.get_or_create(
        slug=PARTNER,
        defaults={"name": "Orchard Shop", "contact_email": "partner@example.com"},
    )
    for key in partner.keys.filter(revoked_at=None):
        revoke_key(key=key, actor="system")
    key, secret = create_key(
        partner=partner, livemode=True, scopes=list(SCOPES), name="demo", actor="system"
    )
    for benefit in Benefit.objects.exclude(partner_ids__contains=[partner.pk]):
        benefit.partner_ids = [*benefit.partner_ids, partner.pk]
        benefit.save(update_fields=["partner_ids"])
    return {"name": partner.name, "key_id": key.public_id, "key_secret": secret}


def _ingest_client() -> dict[str, Any]:
    """The wallet core's client for the first wallet, with the private key only in the file."""
    client_id = "ALIPAY_CN_CORE"
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public_pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private_pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    client, _is_new = IngestClient.objects.update_or_create(
        client_id=client_id,
        key_version=1,
        defaults={"wallet_code": "ALIPAY_CN", "public_key": public_pem.decode(), "is_active": True},
    )
    return {
        "client_id": client.client_id,
        "key_version": client.key_version,
        "wallet": client.wallet_code,
        "private_key": private_pem.decode(),
    }
