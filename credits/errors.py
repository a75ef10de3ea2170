"""The ways the ledger says no. A refusal has written nothing."""

from django.utils.translation import gettext_lazy as _

from zone.core.errors import NotFound, Unavailable, ZoneError


class LedgerError(ZoneError):
    """Any refusal of the ledger; `facts` carry what it knows."""


class InvalidAmount(LedgerError):
    code = "invalid_amount"
    sentence = _("An amount of credits is a whole number above zero.")
    http_status = 422


class InvalidUntil(LedgerError):
    code = "invalid_until"
    sentence = _("Credits can last from this month to five years from now.")
    http_status = 422


class InvalidOperation(LedgerError):
    code = "invalid_operation"
    sentence = _("This request carries an id that cannot be used. Please start again.")
    http_status = 422


class UnknownMember(NotFound, LedgerError):
    code = "not_found"


class InsufficientCredits(LedgerError):
    """`facts` are `available` and `gap`, both live: lapsed credits are not counted."""

    code = "insufficient_credits"
    sentence = _("You need %(gap)s more credits.")

    @property
    def available(self) -> int:
        return int(self.facts["available"])

    @property
    def gap(self) -> int:
        return int(self.facts["gap"])


class MemberFrozen(LedgerError):
    code = "member_frozen"
    sentence = _("Your credits are on hold. Please contact support.")
    http_status = 423


class AccountClosed(LedgerError):
    code = "account_closed"
    sentence = _("This credit account is closed.")


class OperationConflict(LedgerError):
    code = "operation_conflict"
    sentence = _("This request was already used for something else. Please start again.")
    http_status = 422


class HoldNotFound(NotFound, LedgerError):
    code = "not_found"


class HoldNotOpen(LedgerError):
    code = "invalid_state"
    sentence = _("These credits were already used or returned.")


class HoldExpired(HoldNotOpen):
    code = "hold_expired"
    sentence = _("These credits were set aside for too long and have returned.")


class AmountExceedsHold(LedgerError):
    code = "amount_exceeds_hold"
    sentence = _("That is more than was set aside.")


class OriginalNotFound(NotFound, LedgerError):
    code = "not_found"


class AmountExceedsOriginal(LedgerError):
    code = "amount_exceeds_spend"
    sentence = _("That is more than is left to give back.")


class BalanceTooLarge(LedgerError):
    code = "balance_too_large"
    sentence = _("An account cannot hold that many credits.")


class OutOfOrder(LedgerError):
    """A late record of the past came after newer entries."""

    code = "out_of_order"
    sentence = _("A newer entry is already on the account.")


class AccountNotEmpty(LedgerError):
    code = "account_not_empty"
    sentence = _("An account with credits, holds or debt cannot be closed.")


class LedgerBusy(Unavailable, LedgerError):
    code = "busy"
    sentence = _("Your credits are busy right now. Please try again in a moment.")


class BindingNeeded(LedgerError):
    """Unbinding stops earning; credits stay."""

    code = "binding_required"
    sentence = _("Link your Apple account to earn credits.")


class CheckInClosed(LedgerError):
    code = "check_in_closed"
    sentence = _("Checking in is paused just now. Your streak waits for you.")
    http_status = 503


class ClosedLoop(LedgerError):
    """Credits would buy credits."""

    code = "closed_loop"
    sentence = _("What was paid for with credits earns no credits.")
    http_status = 422


class MissionNotDone(LedgerError):
    code = "mission_not_done"
    sentence = _("This mission is not finished yet, or its reward is yours already.")
