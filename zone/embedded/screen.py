"""What the demo says: where it is, and how each kind of person enters."""

import base64
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django_otp.oath import totp

STEP_SECONDS = 30


def access_lines(path: Path) -> list[str]:
    """How to enter as a member, an operator and a partner; codes are those of this moment."""
    site = settings.SITE_URL
    lines = [
        "  Members    open the address on a phone-sized window, choose a wallet and pick a person",
        *(f"             {name:<12} {site}/welcome" for name in _wallets()),
    ]
    if not path.exists():
        return lines
    access: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if people := access.get("members"):
        lines += [
            "",
            "  People     worth meeting; the wallet's own page finds them by these digits",
        ]
    for person in people or []:
        digits = f"••••{person['user_id'][-4:]}"
        lines.append(f"             {person['wallet']:<10} {digits}  {person['why']}")
    lines += ["", f"  Operators  {site}/console/"]
    for operator in access.get("operators", []):
        lines.append(
            f"             {operator['username']:<12} {operator['password']:<18} "
            f"code now {code_of(operator['totp_secret'])}  {operator.get('role', '')}"
        )
    lines.append("             codes change every 30 s: `make codes` shows them again")
    if partner := access.get("partner"):
        api = f"{site}/api/v1"
        lines += [
            "",
            f"  Partner    {api}/openapi.json",
            f"             curl -u {partner['key_id']}:{partner['key_secret']} \\",
            f"                  -d grant_type=client_credentials {api}/oauth/token",
            f"             curl -H 'Authorization: Bearer <access_token>' {api}/benefits",
        ]
    return lines


def code_of(secret: str) -> str:
    """The six digits an authenticator app would show now for a base32 or hexadecimal secret."""
    try:
        key = bytes.fromhex(secret)
    except ValueError:
        key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    return f"{totp(key, step=STEP_SECONDS):06d}"


def _wallets() -> list[str]:
    from zone.members.models import Wallet

    return [wallet.name for wallet in Wallet.objects.filter(is_open=True)]
