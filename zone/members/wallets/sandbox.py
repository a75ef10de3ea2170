"""The connector to the sandbox wallet: a signed return in the browser, codes and queries behind."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from zone.core import clock, vault
from zone.members import rsa2
from zone.members.errors import UnbindingRefused, WalletReturnExpired, WalletReturnRefused
from zone.members.models import BindFailureReason, Binding
from zone.members.sandbox.models import SandboxAgreement
from zone.members.sandbox.services import accounts, agreements, messages
from zone.members.wallets.base import AgreementReport, Answer, Departure, Identity

_STATUS = {
    SandboxAgreement.Status.NORMAL: Binding.Status.ACTIVE,
    SandboxAgreement.Status.STOP: Binding.Status.SUSPENDED,
    SandboxAgreement.Status.UNSIGN: Binding.Status.UNBOUND,
}
_AGREED = "AGREED"
_PERSON_PURPOSE = "natural-person"


class SandboxConnector:
    """See WalletConnector for what each call promises."""

    def start(self, departure: Departure) -> str:
        question = {
            "purpose": departure.purpose,
            "state": departure.state,
            "return_to": departure.return_to,
            "language": departure.language,
            "external_agreement_no": departure.external_reference,
        }
        query = urlencode({name: value for name, value in question.items() if value})
        return f"/sandbox/wallet/{departure.wallet_code}/authorise?{query}"

    def read_return(self, *, wallet_code: str, params: Mapping[str, str]) -> Answer:
        _refuse_unless_signed(wallet_code, params)
        result = params.get("result", "")
        if result != _AGREED and result not in BindFailureReason.values:
            result = BindFailureReason.UNKNOWN.value
        return Answer(
            purpose=params.get("purpose", ""),
            state=params.get("state", ""),
            is_agreed=result == _AGREED,
            failure_reason="" if result == _AGREED else result,
            auth_code=params.get("auth_code", ""),
            account_masked=params.get("account", ""),
            storefront=params.get("storefront", ""),
            at=_instant(params.get("timestamp", "")),
        )

    def fetch_identity(self, *, wallet_code: str, auth_code: str) -> Identity:
        account = accounts.use_auth_code(
            wallet_code=wallet_code, code=auth_code, now=clock.database_now()
        )
        if account is None:
            raise WalletReturnExpired
        user_id = accounts.user_id_of(account)
        return Identity(
            user_id=user_id,
            display_name=account.display_name,
            language=account.language,
            storefront=account.storefront,
            is_adult=account.is_adult,
            # One test person is one id: whoever uses it in two wallets is the same person.
            person_token=vault.blind_index(_PERSON_PURPOSE, user_id),
        )

    def fetch_agreement(
        self, *, wallet_code: str, user_id: str, agreement_reference: str = ""
    ) -> AgreementReport | None:
        account = accounts.find_account(wallet_code=wallet_code, user_id=user_id)
        agreement = account and agreements.find_agreement(account, agreement_reference)
        return _report(agreement, user_id) if agreement else None

    def request_unbinding(
        self, *, wallet_code: str, user_id: str, agreement_reference: str = ""
    ) -> AgreementReport | None:
        account = accounts.find_account(wallet_code=wallet_code, user_id=user_id)
        agreement = account and agreements.find_agreement(account, agreement_reference)
        if not agreement:
            return None
        try:
            agreements.end_agreement(agreement=agreement, now=clock.database_now())
        except agreements.UnbindingNotAllowed as refusal:
            raise UnbindingRefused from refusal
        return _report(agreement, user_id)

    def read_news(self, *, wallet_code: str, params: Mapping[str, str]) -> AgreementReport:
        _refuse_unless_signed(wallet_code, params)
        status = params.get("status", "")
        if status not in SandboxAgreement.Status.values or not params.get("agreement_no"):
            raise WalletReturnRefused
        valid_until = params.get("invalid_time", "")
        return AgreementReport(
            user_id=params.get("user_id", ""),
            status=_STATUS[SandboxAgreement.Status(status)].value,
            occurred_at=_instant(params.get("changed_time", "")),
            agreement_reference=params["agreement_no"],
            external_reference=params.get("external_agreement_no", ""),
            account_masked=params.get("logon_id", ""),
            valid_until=_instant(valid_until) if valid_until else None,
            apple_account=params.get("apple_account", ""),
        )


def _refuse_unless_signed(wallet_code: str, params: Mapping[str, str]) -> None:
    is_ours = params.get("app_wallet") == wallet_code
    if not is_ours or not rsa2.is_signed(params, messages.public_key(wallet_code)):
        raise WalletReturnRefused


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise WalletReturnRefused from error
    if instant.tzinfo is None:
        raise WalletReturnRefused
    return instant


def _report(agreement: SandboxAgreement, user_id: str) -> AgreementReport:
    return AgreementReport(
        user_id=user_id,
        status=_STATUS[SandboxAgreement.Status(agreement.status)].value,
        occurred_at=agreement.changed_at,
        agreement_reference=agreement.agreement_no,
        external_reference=agreement.external_agreement_no,
        account_masked=agreement.account.account_masked,
        valid_until=agreement.valid_until,
        apple_account=agreement.apple_account,
    )
