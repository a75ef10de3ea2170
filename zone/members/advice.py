"""What to do about each reason for which a wallet said no."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from zone.members.models import BindFailureReason as Reason


@dataclass(frozen=True, slots=True)
class Advice:
    title: Any
    sentence: Any
    # Whether trying again right away can help.
    is_retry_useful: bool = True


_ADVICE: dict[str, Advice] = {
    Reason.STOREFRONT_MISMATCH: Advice(
        _("The countries do not match"),
        _(
            "Your Apple account belongs to another country than this wallet. Use the wallet of "
            "that country, or change the country in your Apple account first."
        ),
        is_retry_useful=False,
    ),
    Reason.REALNAME_REQUIRED: Advice(
        _("The wallet wants to know you first"),
        _("Verify your name in the wallet app, under account settings, then try again here."),
    ),
    Reason.IDENTITY_MISMATCH: Advice(
        _("That was another wallet account"),
        _("Sign in to the wallet with the account you use here, then try again."),
    ),
    Reason.NO_FUNDING_SOURCE: Advice(
        _("The wallet has nothing to pay from"),
        _("Add a bank card or a balance in the wallet app, then try again."),
    ),
    Reason.INSUFFICIENT_BALANCE: Advice(
        _("The balance is too low"),
        _("Top up the wallet or choose a card as its first payment source, then try again."),
    ),
    Reason.AMOUNT_LIMIT: Advice(
        _("A payment limit stands in the way"),
        _("Raise the limit in the wallet app, or wait until it starts anew, then try again."),
    ),
    Reason.RISK_REJECTED: Advice(
        _("A safety check stopped this"),
        _(
            "Use the phone and the network you usually pay with, and try again tomorrow. The "
            "wallet’s support can tell you more."
        ),
        is_retry_useful=False,
    ),
    Reason.WALLET_STATUS_ABNORMAL: Advice(
        _("Your wallet account is restricted"),
        _("Open the wallet app: it says what is missing. Then try again."),
        is_retry_useful=False,
    ),
    Reason.UNDER_AGE: Advice(
        _("This needs a grown-up’s wallet"),
        _("Password-free payment is for adults. A parent can add theirs with Family Sharing."),
        is_retry_useful=False,
    ),
    Reason.WRONG_APPLE_PAGE: Advice(
        _("That page cannot finish"),
        _("Start from Settings on your device, or from the button below."),
    ),
    Reason.OTP_FAILED: Advice(
        _("The code did not match"),
        _("Ask for a new code and enter it within a minute."),
    ),
    Reason.USER_CANCELLED: Advice(
        _("You came back without agreeing"),
        _("That is fine. Nothing was changed, and you can go on from here at any time."),
    ),
    Reason.NETWORK: Advice(
        _("The connection broke off"),
        _("Check your network and try again. You go on where you stopped."),
    ),
    Reason.MAINTENANCE: Advice(
        _("The wallet is being looked after"),
        _("It is under maintenance. Please try again in half an hour."),
    ),
    Reason.MERCHANT_REFUSED: Advice(
        _("Apple did not accept this wallet"),
        _("Sign in to your Apple account once, check for messages there, then try again."),
    ),
    Reason.UNKNOWN: Advice(
        _("The wallet did not finish"),
        _("It gave no reason. Please try again; nothing was changed."),
    ),
}


def advice_for(reason: str) -> Advice:
    """What to tell a member about `reason`."""
    return _ADVICE.get(reason, _ADVICE[Reason.UNKNOWN])
