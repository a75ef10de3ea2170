"""Why a claim is refused, in words a member can act on."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from zone.core.errors import ZoneError


class NotEligible(ZoneError):
    """The member does not fit the benefit. `reason` is public; `next_step` names a page."""

    code = "not_eligible"
    sentence = _("This benefit is not open to you.")
    reason = ""
    next_step = ""

    def __init__(self, **facts: Any) -> None:
        super().__init__(reason=self.reason, **facts)


class BindingRequired(NotEligible):
    code = "binding_required"
    reason = "binding_required"
    sentence = _("Link your wallet to your Apple account first, then claim this.")
    next_step = "bind"


class WrongStorefront(NotEligible):
    reason = "storefront"
    sentence = _("This benefit is for Apple accounts of another region.")


class WrongWallet(NotEligible):
    reason = "wallet"
    sentence = _("This benefit is for members of another wallet.")


class AdultsOnly(NotEligible):
    reason = "adults_only"
    sentence = _("This benefit is for adults only.")


class RuleNotMet(NotEligible):
    """A condition of the benefit's rule. `steps`: what would open it, the nearest way first."""

    def __init__(self, *, reason: str, sentence: str, steps: tuple[Any, ...]) -> None:
        self.reason = reason
        super().__init__()
        self.explanation = sentence
        self.steps = steps
        if steps and steps[0].kind == "bind":
            self.next_step = "bind"

    def __str__(self) -> str:
        return self.explanation


class PaymentRequired(NotEligible):
    """A priced benefit asked for as a free one."""

    reason = "payment_required"
    sentence = _("This benefit is paid for with credits.")


class DrawnOnly(NotEligible):
    """The release is given out by a fair draw that is not done, and this member has not won it."""

    reason = "drawn_only"
    sentence = _("These are given out by a draw: everyone who enters has the same chance.")


class TicketNeeded(NotEligible):
    """The draw is entered by tickets alone."""

    reason = "ticket_needed"
    sentence = _("This draw is entered with a ticket.")


class EntriesClosed(ZoneError):
    code = "ended"
    sentence = _("This draw takes no entries now.")


class PriceChanged(ZoneError):
    """The page showed another price than the one that holds now."""

    code = "price_changed"
    sentence = _("The price has changed since this page was opened. Please look again.")
    is_retryable = True


class MemberSuspended(ZoneError):
    code = "member_suspended"
    sentence = _("Your membership is paused. Please contact support.")


class MemberErased(ZoneError):
    code = "member_erased"
    sentence = _("This membership has ended.")


class NotStarted(ZoneError):
    """Facts: `opens_at`, the instant it does, or None while nobody has set one."""

    code = "not_started"
    sentence = _("This has not opened yet.")


class Ended(ZoneError):
    code = "ended"
    sentence = _("This has ended.")


class Paused(ZoneError):
    code = "paused"
    sentence = _("This benefit is taking a short break. Please look again later.")
    is_retryable = True


class SoldOut(ZoneError):
    code = "out_of_stock"
    sentence = _("These are all gone. No credits were taken.")


class LimitReached(ZoneError):
    """Facts: `limit`, how many each member may have."""

    code = "limit_reached"
    sentence = _("You already have all %(limit)s that one member may claim.")

    def __str__(self) -> str:
        if self.facts.get("limit") == 1:
            return str(_("You already have this one: each member may claim it once."))
        return super().__str__()


class CollectingForIt(ZoneError):
    """The last that the limit allows is held for a gift with friends."""

    code = "limit_reached"
    sentence = _("You are collecting for this one with friends. You find it under Gifts.")


class OperationReused(ZoneError):
    """An operation that made one claim was sent again for something else."""

    code = "idempotency_key_reused"
    sentence = _("This form was used for something else. Please open the page again.")
    http_status = 422


class Busy(ZoneError):
    """A rush: enough members are being served. Nothing is said about what is left."""

    code = "unavailable"
    sentence = _("Many are here at this moment. Please try again in a few seconds.")
    http_status = 503
    is_retryable = True


class QuotaReached(ZoneError):
    """Facts: `limit`, such as 2_per_day; `again_at`, when the next window opens, or None."""

    code = "limit_reached"
    sentence = _("You have claimed this as often as one member may.")

    def __str__(self) -> str:
        words = {
            "hour": _("You have claimed this as often as one member may in an hour."),
            "day": _(
                "You have claimed this as often as one member may in a day. Come back tomorrow."
            ),
            "week": _("You have claimed this as often as one member may in a week."),
            "month": _("You have claimed this as often as one member may in a month."),
            "quarter": _("You have claimed this as often as one member may in a quarter."),
            "cooldown": _("You claimed this a little while ago. Please come back later."),
        }
        return str(words.get(self.facts.get("period", ""), self.sentence))


class NotAgain(NotEligible):
    """A natural person's limit. Says the same whoever of the person's members used it up."""

    reason = "limit"
    sentence = _("This benefit cannot be claimed from this account at the moment.")


class WishRefused(ZoneError):
    """There is nothing to wait for: it can be had now, is theirs, or never can be."""

    code = "invalid_state"
    sentence = _("There is nothing to wait for here.")


class SliceSoldOut(ZoneError):
    """A part of the stock is gone. Facts: `again_at`, when the next part opens, or None."""

    code = "out_of_stock"
    sentence = _("This part of the stock is all gone. No credits were taken.")

    def __str__(self) -> str:
        words = {
            "hour": _("This hour's are all gone. More come with the next hour."),
            "day": _("Today's are all gone. More come tomorrow."),
            "week": _("This week's are all gone. More come next week."),
            "month": _("This month's are all gone. More come next month."),
            "quarter": _("This quarter's are all gone. More come next quarter."),
        }
        return str(words.get(self.facts.get("period", ""), self.sentence))


def again_at_of(refusal: ZoneError | None) -> datetime | None:
    """When what is full frees again; None for every other refusal, and where it never does."""
    if isinstance(refusal, QuotaReached | SliceSoldOut):
        again_at: datetime | None = refusal.facts.get("again_at")
        return again_at
    return None


class AlreadyChosen(ZoneError):
    """A right that another claim has used up. Facts: `chosen`, that benefit's public id; `title`."""

    code = "already_chosen"
    sentence = _("You chose “%(title)s” instead of this one.")


class ChoiceIsFinal(ZoneError):
    code = "invalid_state"
    sentence = _("This choice stands: it was looked at, sent or used, or cannot be taken back.")


class AlreadyHeld(ZoneError):
    code = "invalid_state"
    sentence = _("One of these is held for this member already.")


class HoldOver(ZoneError):
    """Facts: `status`, how the hold ended."""

    code = "invalid_state"
    sentence = _("This hold has ended.")

    def __str__(self) -> str:
        return str(self.sentence)


class BudgetExhausted(ZoneError):
    code = "budget_exhausted"
    sentence = _("Everything set aside for this benefit has been given out. No credits were taken.")


class StillInStock(ZoneError):
    """Nobody needs to wait in line."""

    code = "invalid_state"
    sentence = _("There are some left: you can claim this now.")


class NotEnoughCredits(ZoneError):
    """Facts: `gap` still missing, `available` now."""

    code = "insufficient_credits"
    sentence = _("You need %(gap)s more credits.")


class ClosedLoop(ZoneError):
    """Credits would buy credits."""

    code = "closed_loop"
    sentence = _("Credits cannot buy credits.")
    http_status = 422


class StampsNeeded(NotEligible):
    reason = "stamps"
    sentence = _("This benefit is swapped for stamps.")
    next_step = "stamps"


class NotEnoughStamps(ZoneError):
    """Facts: `gap` still missing."""

    code = "not_enough_stamps"
    sentence = _("You need %(gap)s more stamps.")
