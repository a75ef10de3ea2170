"""Why a gift with friends is refused, and what there is to do next."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from benefits.gift_errors import GiftRefused


class NotForGroups(GiftRefused):
    """Free, not to be given, drawn by lot, for a rush, or without a code of its own."""

    sentence = _("This one cannot be paid for together with friends.")


class TooManyGroups(GiftRefused):
    """Facts: `limit`, how many may collect at one time."""

    code = "limit_reached"
    sentence = _("You are collecting for %(limit)s gifts already. Finish one, or call one off.")


class PayItAlone(GiftRefused):
    code = "validation_failed"
    sentence = _("That would pay for all of it. Redeem it yourself, and send it as a gift.")
    http_status = 422


class TooMuch(GiftRefused):
    """Facts: `missing`, what is still missing."""

    code = "validation_failed"
    http_status = 422

    def __str__(self) -> str:
        missing = self.facts["missing"]
        return ngettext(
            "Only %(missing)s credit is missing now. Nothing was taken from you.",
            "Only %(missing)s credits are missing now. Nothing was taken from you.",
            missing,
        ) % {"missing": missing}


class TooManyParts(GiftRefused):
    """Facts: `missing`."""

    code = "limit_reached"
    sentence = _("No more small parts fit. Whoever puts in all of the rest completes it.")


class GroupOver(GiftRefused):
    """Facts: `state`, how it ended."""

    sentence = _("This gift is not collecting any more.")


class PartTaken(GiftRefused):
    """To whoever wants a part back of what is complete."""

    sentence = _("It is complete, so the parts can no longer be taken back.")


class GroupElsewhere(GiftRefused):
    code = "not_eligible"
    sentence = _("This gift is collected for in another country or region.")


class GroupFell(GiftRefused):
    """The last part was there, and the benefit was not. Facts: `code`, the refusal's."""

    sentence = _(
        "The benefit could not be claimed any more, so the gift is off."
        " Nothing was taken: everybody has their credits back."
    )


class PayerUnfit(GiftRefused):
    """One who put in a part may not pay at this moment. It does not say who."""

    code = "member_unfit"
    sentence = _("One of the parts cannot be taken.")
