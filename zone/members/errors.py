"""The refusals of this room."""

from django.utils.translation import gettext_lazy as _

from zone.core.errors import Unavailable, ZoneError


class WalletClosed(ZoneError):
    code = "wallet_closed"
    sentence = _("This wallet is not open here yet. You can still look around.")


class WalletUnavailable(Unavailable):
    code = "wallet_unavailable"
    sentence = _("The wallet does not answer right now. Nothing was changed. Please try again.")


class WalletReturnRefused(ZoneError):
    """A return that the wallet did not sign, or not for us, or not now."""

    code = "wallet_return_refused"
    sentence = _("We could not check the wallet’s answer, so nothing was changed. Start afresh.")
    http_status = 400


class WalletReturnExpired(ZoneError):
    """A state that was used, is older than ten minutes, or belongs to another browser."""

    code = "wallet_return_expired"
    sentence = _("That link was used already or is too old. Here is a fresh one.")
    http_status = 410
    is_retryable = True


class WalletSaidNo(ZoneError):
    """The wallet answered, and the answer is no; `reason` is one of BindFailureReason."""

    code = "wallet_said_no"
    sentence = _("The wallet did not agree. Nothing was changed.")


class MemberSuspended(ZoneError):
    code = "member_suspended"
    sentence = _("This membership is paused. Please contact support.")


class MemberErased(ZoneError):
    code = "member_erased"
    sentence = _("This membership has been deleted.")


class ErasureNotOpen(ZoneError):
    """There is nothing to call off, or it has begun already."""

    code = "invalid_state"
    sentence = _("There is no deletion that could be called off.")


class ConsentMissing(ZoneError):
    code = "consent_missing"
    sentence = _("Please agree to the member terms and the privacy notice first.")
    http_status = 422


class AlreadyBound(ZoneError):
    code = "already_bound"
    sentence = _("Your wallet is linked already.")


class NotBound(ZoneError):
    code = "binding_missing"
    sentence = _("Your wallet is not linked.")


class UnbindingRefused(ZoneError):
    code = "unbinding_refused"
    sentence = _(
        "Apple still needs this wallet, for example for a running subscription. Change the payment "
        "method in your Apple account settings first."
    )


class StaleNews(ZoneError):
    """News that is older than what we know, or about a binding that has ended."""

    code = "stale_revision"
    sentence = _("A newer status is known already.")


class MoveNotAllowed(ZoneError):
    code = "state_conflict"
    sentence = _("A binding that is %(status)s cannot become %(wanted)s.")
