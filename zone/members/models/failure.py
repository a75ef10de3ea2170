from django.db import models
from django.utils.translation import gettext_lazy as _


class BindFailureReason(models.TextChoices):
    """Why a try to bind did not succeed. Names are stable: reports compare them over years."""

    STOREFRONT_MISMATCH = "STOREFRONT_MISMATCH", _("another country’s Apple account")
    REALNAME_REQUIRED = "REALNAME_REQUIRED", _("real name not verified")
    IDENTITY_MISMATCH = "IDENTITY_MISMATCH", _("another person’s wallet")
    NO_FUNDING_SOURCE = "NO_FUNDING_SOURCE", _("no card or balance to pay from")
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE", _("balance too low")
    AMOUNT_LIMIT = "AMOUNT_LIMIT", _("payment limit reached")
    RISK_REJECTED = "RISK_REJECTED", _("stopped by a safety check")
    WALLET_STATUS_ABNORMAL = "WALLET_STATUS_ABNORMAL", _("wallet account restricted")
    UNDER_AGE = "UNDER_AGE", _("too young")
    WRONG_APPLE_PAGE = "WRONG_APPLE_PAGE", _("started from a page that cannot finish")
    OTP_FAILED = "OTP_FAILED", _("code not confirmed")
    USER_CANCELLED = "USER_CANCELLED", _("cancelled in the wallet")
    NETWORK = "NETWORK", _("connection lost")
    MAINTENANCE = "MAINTENANCE", _("wallet under maintenance")
    MERCHANT_REFUSED = "MERCHANT_REFUSED", _("refused by Apple")
    UNKNOWN = "UNKNOWN", _("no reason given")
