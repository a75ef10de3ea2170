"""How binding goes on each kind of device and market, in the order a member meets it.

The Apple side of it is described at https://support.apple.com/HT204095 and cannot be done by us.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from zone.members.models import Wallet


@dataclass(frozen=True, slots=True)
class GuideStep:
    title: Any
    sentence: Any


_START = GuideStep(
    _("Agree in your wallet"),
    _("It shows the password-free agreement with Apple. Read it and confirm with your PIN."),
)
_APPLE = GuideStep(
    _("Check your Apple account"),
    _("Settings, your name, Payment & Shipping: the wallet is listed with a tick."),
)
_APPLE_PH = GuideStep(
    _("Check your Apple Account"),
    _(
        "Settings, Apple Account, Payment & Shipping: GCash is listed. Its MPIN is never asked here."
    ),
)
_DONE = GuideStep(
    _("Done"), _("Purchases are paid from the wallet, and credits come with each of them.")
)


def steps_for(wallet: Wallet) -> list[GuideStep]:
    """The three steps for members of this wallet."""
    return [_START, _APPLE_PH if wallet.country == "PH" else _APPLE, _DONE]
