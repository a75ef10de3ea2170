"""A wallet that keeps vouchers for its people: sent into their pocket, used and ended there.

The voucher's own number is the claim's reference at the provider; the claim's public id is the
`out_biz_no` under which sending twice is one voucher. The gateway knows a voucher by its own number
only, so an order whose reply was lost is asked about by sending it again: see `Repeat`.
"""

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from benefits.models import Claim
from benefits.providers import voucher_dialect as dialect
from benefits.providers.base import (
    Canceled,
    Issued,
    Listed,
    NeverAsked,
    Pending,
    Refused,
    Repeat,
    Unknown,
    Used,
)
from benefits.providers.voucher_dialect import DialectError, Notification
from benefits.providers.wire import Wire, WireError
from zone.core import clock
from zone.core.vault import VaultError
from zone.members.services.identities import open_identity

ANSWER_BYTES_MAX = 16_384
REFERENCE_LETTERS_MAX = 80
_FORM = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
# Not the member's fault and not for good: the wallet is busy, or is being asked too fast.
_PASSING = {"SYSTEM_ERROR", "REQUEST_TRAFFIC_EXCEED_LIMIT", "aop.ACQ.SYSTEM_ERROR"}
# To a question: it knows no voucher of this number. Any other refusal says nothing of the voucher.
NOT_THERE = {"VOUCHER_NOT_EXIST"}
_ON_ITS_WAY = {"UNC", "TRANS"}
_IN_POCKET = {"ENABLED", "UNACTIVE", "VALID", "SENDED", "USING", "REFUNDING", "REFUNDED"}
_USED = {"USED", "REDEEMED"}
_GONE = {"EXPIRED", "DISABLED", "DELETE", "TRANSFER", "INVALID"}


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are at the wallet's gateway, and how we know it."""

    app_id: str
    key: RSAPrivateKey
    wallet_key: RSAPublicKey


class WalletVouchers:
    """The voucher gateway of one wallet."""

    def __init__(
        self, *, url: str, account: Account, timeout_ms: int, notify_url: str = ""
    ) -> None:
        self.account, self.notify_url = account, notify_url
        self.wire = Wire(url, timeout=timeout_ms / 1000)

    def close(self) -> None:
        self.wire.close()

    def issue(self, claim: Claim) -> Issued | Refused | Unknown:
        try:
            user_id = _recipient(claim)
        except VaultError as error:
            return Unknown(str(error))
        if user_id is None:
            return Refused("no_wallet_user")
        answer = self._call(
            dialect.SEND,
            {
                "activity_id": str(claim.benefit.detail.get("activity_id", "")),
                "out_biz_no": claim.public_id,
                "user_id": user_id,
                "merchant_access_mode": "SELF_MODE",
            },
        )
        if isinstance(answer, Unknown | Refused):
            return answer
        reference = answer.get("voucher_id")
        if isinstance(reference, str) and 0 < len(reference) <= REFERENCE_LETTERS_MAX:
            return Issued(reference)
        return Unknown("sent without a number")

    def query(self, claim: Claim) -> Issued | Refused | Unknown | NeverAsked | Used | Canceled:
        reference = claim.provider_reference
        if not reference:
            return Repeat("only sending again tells")
        answer = self._call(dialect.QUERY, {"voucher_id": reference})
        if isinstance(answer, Unknown | Refused):
            return answer
        return understand_status(str(answer.get("status", "")), reference)

    def cancel(self, claim: Claim) -> Canceled | Refused | Unknown:
        answer = self._call(
            dialect.INVALID,
            {"voucher_id": claim.provider_reference, "out_biz_no": f"{claim.public_id}-invalid"},
        )
        return answer if isinstance(answer, Unknown | Refused) else Canceled()

    def list_orders(self) -> list[Listed] | Unknown | None:
        return None  # The gateway answers for one voucher at a time.

    def _call(self, method: str, biz: dict[str, Any]) -> dict[str, Any] | Refused | Unknown:
        """The content of a success. A refusal is one only for a reason in the thing itself."""
        account = self.account
        body = dialect.make_request(
            method,
            biz,
            app_id=account.app_id,
            key=account.key,
            at=clock.now(),
            notify_url=self.notify_url,
        )
        try:
            status, raw = self.wire.ask(
                "POST", "", body=body, headers=_FORM, bytes_max=ANSWER_BYTES_MAX
            )
            if status != 200:
                return Unknown(f"answer {status}")
            answer = dialect.read_answer(raw, method=method, key=account.wallet_key)
        except (WireError, DialectError) as error:
            return Unknown(str(error))
        code, reason = str(answer.get("code", "")), str(answer.get("sub_code", ""))
        if code == dialect.SUCCESS:
            return answer
        if code == dialect.REFUSED and reason and reason not in _PASSING:
            return Refused(reason[:40])
        # A missing right, a wrong key, a parameter of ours: our mistake is no refusal of a member.
        return Unknown(f"{code} {reason}".strip())


def understand_status(status: str, reference: str) -> Issued | Unknown | Used | Canceled:
    """What a voucher's own state means for its claim."""
    if status in _ON_ITS_WAY:
        return Pending("being sent")
    if status in _IN_POCKET:
        return Issued(reference)
    if status in _USED:
        return Used(reference)
    if status in _GONE:
        return Canceled()
    return Unknown(f"state {status}"[:40])


def wallet_news(news: Notification) -> dict[str, str]:
    """What a wallet tells us about a voucher, in the words that every provider's message has."""
    state = understand_status(news.status, news.voucher_id)
    word = {Used: "used", Canceled: "canceled", Issued: "issued"}.get(type(state), "pending")
    return {"status": word, "reference": news.voucher_id}


def _recipient(claim: Claim) -> str | None:
    """The wallet's number for who claimed; None once they were erased. Raises VaultError.

    Read from what the worker fetched with the claims: this runs in a thread of its own, which has
    no connection to the database.
    """
    for identity in claim.member.identities.all():
        if identity.kind == "user_id" and identity.wallet_id == claim.member.wallet_id:
            return open_identity(identity)
    return None
