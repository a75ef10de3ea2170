"""What the sandbox wallet says to the Zone, signed with its own key."""

from datetime import datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from zone.core import vault
from zone.core.ids import new_public_id
from zone.members import rsa2
from zone.members.sandbox.models import SandboxAccount, SandboxAgreement, SandboxKey
from zone.members.sandbox.services.accounts import issue_auth_code, user_id_of

_KEY_BITS = 2048
_PURPOSE = "sandbox-key"


def _key(wallet_code: str) -> SandboxKey:
    """The wallet's key pair, made at its first word. Two makers at once: the first one's stays."""
    if found := SandboxKey.objects.filter(pk=wallet_code).first():
        return found
    private = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    der = private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    SandboxKey.objects.bulk_create(
        [
            SandboxKey(
                wallet_code=wallet_code,
                private_wrapped=vault.wrap(der, purpose=_PURPOSE),
                public_pem=pem.decode(),
            )
        ],
        ignore_conflicts=True,
    )
    return SandboxKey.objects.get(pk=wallet_code)


def public_key(wallet_code: str) -> rsa.RSAPublicKey:
    """The key that checks this wallet's messages."""
    key = serialization.load_pem_public_key(_key(wallet_code).public_pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError(f"the key of {wallet_code} is not RSA")
    return key


def signed(wallet_code: str, params: dict[str, str]) -> dict[str, str]:
    """`params` with a `sign` of this wallet; empty values are left out."""
    der = vault.unwrap(_key(wallet_code).private_wrapped, purpose=_PURPOSE)
    key = serialization.load_der_private_key(der, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"the key of {wallet_code} is not RSA")
    kept = {name: value for name, value in params.items() if value}
    return {**kept, "sign_type": "RSA2", "sign": rsa2.sign(kept, key)}


def return_params(
    *,
    wallet_code: str,
    purpose: str,
    state: str,
    now: datetime,
    account: SandboxAccount | None,
    failure_reason: str = "",
) -> dict[str, str]:
    """What travels back with the browser: a single-use code for a yes, a reason for a no."""
    is_agreed = account is not None and not failure_reason
    return signed(
        wallet_code,
        {
            "app_wallet": wallet_code,
            "purpose": purpose,
            "state": state,
            "result": "AGREED" if is_agreed else failure_reason,
            "auth_code": issue_auth_code(account=account, now=now) if account and is_agreed else "",
            "account": account.account_masked if account else "",
            "storefront": account.storefront if account else "",
            "timestamp": now.isoformat(),
            "nonce": new_public_id("non"),
        },
    )


def news_params(agreement: SandboxAgreement) -> dict[str, str]:
    """The notification about an agreement's present status."""
    account = agreement.account
    return signed(
        account.wallet_code,
        {
            "app_wallet": account.wallet_code,
            "notify_type": "dut_user_unsign"
            if agreement.status == SandboxAgreement.Status.UNSIGN
            else "dut_user_sign",
            "notify_id": new_public_id("ntf"),
            "agreement_no": agreement.agreement_no,
            "external_agreement_no": agreement.external_agreement_no,
            "user_id": user_id_of(account),
            "logon_id": account.account_masked,
            "apple_account": agreement.apple_account,
            "status": agreement.status,
            "changed_time": agreement.changed_at.isoformat(),
            "invalid_time": agreement.valid_until.isoformat() if agreement.valid_until else "",
        },
    )
