"""Why a gift is refused. Each says what giver or receiver can do next."""

from django.utils.translation import gettext_lazy as _

from zone.core.errors import ZoneError


class GiftRefused(ZoneError):
    """The family. Nothing has changed: the claim is whose it was."""

    code = "invalid_state"
    sentence = _("This cannot be given away.")

    def __str__(self) -> str:
        # Facts are for the caller; not every sentence has a place for them.
        return str(self.sentence) % self.facts


class NotGiftable(GiftRefused):
    sentence = _("Only a benefit whose code nobody has seen can be given away.")


class PastHour(GiftRefused):
    code = "validation_failed"
    sentence = _("That hour is already past. Choose a later one, or send it now.")
    http_status = 422


class TooFarAhead(GiftRefused):
    """Facts: `days`, how far ahead an hour may be."""

    code = "validation_failed"
    sentence = _("Choose an hour within the next %(days)s days.")
    http_status = 422


class EndsBeforeDelivery(GiftRefused):
    code = "validation_failed"
    sentence = _("Its code ends before that hour. Choose an earlier one.")
    http_status = 422


class DailyLimit(GiftRefused):
    """Facts: `limit`, gifts a day."""

    code = "limit_reached"
    sentence = _("You have sent %(limit)s gifts today, as many as a day allows. Try tomorrow.")


class TooManyTries(GiftRefused):
    """Facts: `limit`, how often one benefit can be sent out."""

    code = "limit_reached"
    sentence = _("This one was on its way %(limit)s times already. Please use it yourself.")


class AlreadyOpened(GiftRefused):
    """To the giver: it cannot be changed or called back any more."""

    sentence = _("Your friend has opened it already, so it can no longer be changed.")


class GiftOver(GiftRefused):
    """Facts: `state`, how it ended."""

    sentence = _("This gift is no longer under way.")


class OpenedByAnother(GiftRefused):
    """To a second opener. It does not say by whom."""

    sentence = _("Somebody opened this box before you. Each box opens for one person only.")


class NotYet(GiftRefused):
    """Facts: `deliver_at`."""

    sentence = _("This box does not open yet.")
    is_retryable = True


class OwnGift(GiftRefused):
    sentence = _("This is your own gift. Send its link to a friend.")


class GiftRing(GiftRefused):
    sentence = _("You gave this one away yourself, so it cannot come back as a gift.")


class GiverBlocked(GiftRefused):
    sentence = _("You have blocked gifts from this person.")


class AlreadyThanked(GiftRefused):
    sentence = _("You have already said thank you.")


class PaidTogether(GiftRefused):
    """To the giver of what friends paid for too."""

    sentence = _(
        "Your friends paid for this one too, so it cannot be called back."
        " You can change its card, or make a new link."
    )


class PaidForByYou(GiftRefused):
    sentence = _("You paid a part of this one. It is for somebody else to open.")
