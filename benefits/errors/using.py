"""Why something about a claim one has cannot be done: seen, used, returned, rolled back."""

from django.utils.translation import gettext_lazy as _

from zone.core.errors import ZoneError


class RescueRefused(ZoneError):
    code = "invalid_state"
    sentence = _("This can be done once a month, in the last three days, if there is room for it.")


class WalletKeepsEnd(RescueRefused):
    sentence = _("It lies in your wallet, which sets its end: more time cannot be given here.")


class ClaimNotUsable(ZoneError):
    """Facts: `status`, the state that forbids it."""

    code = "invalid_state"
    sentence = _("This benefit can no longer be used.")

    def __str__(self) -> str:
        return str(self.sentence)


class ClaimPending(ZoneError):
    code = "invalid_state"
    sentence = _("This benefit is still being prepared. It will appear here in a moment.")
    is_retryable = True


class ClaimInTransit(ZoneError):
    """A gift of it is under way: it is nobody's to use until it is opened or called back."""

    code = "invalid_state"
    sentence = _("This one is on its way to a friend. Call the gift back to use it yourself.")
    is_retryable = True


class AlreadyRedeemed(ZoneError):
    """Facts: `redeemed_at`."""

    code = "already_redeemed"
    sentence = _("This benefit has already been used.")

    def __str__(self) -> str:
        return str(self.sentence)


class NothingToReport(ZoneError):
    code = "invalid_state"
    sentence = _(
        "Only a code that was shown in the last 30 days and is still yours can be reported."
    )


class ReturnRefused(ZoneError):
    code = "invalid_state"
    sentence = _("It can no longer be given back like this. Please look again.")


class TicketDrawn(ReturnRefused):
    """The entry of a ticket stands in a published list."""

    sentence = _("Entries have closed and their list is published: this ticket stays in the draw.")


class ReturnUncertain(ZoneError):
    """The provider did not answer: asking again is safe."""

    code = "unavailable"
    sentence = _("We could not reach the issuer. Nothing has changed; please try again shortly.")
    http_status = 503
    is_retryable = True


class OrderNotEligible(ZoneError):
    """Facts: `reason`: storefront, currency or minimum_spend."""

    code = "order_not_eligible"
    sentence = _("This benefit cannot be used for this order.")


class CodeNotUsable(ZoneError):
    """One answer for every unusable code: unknown, foreign, expired, used or taken away."""

    code = "code_not_usable"
    sentence = _("This code cannot be used.")


class RollbackRefused(ZoneError):
    code = "invalid_state"
    sentence = _("This use cannot be taken back by that amount.")


class RestoreRefused(ZoneError):
    code = "invalid_state"
    sentence = _("It can no longer be given back: only within a day, and if nothing replaced it.")
