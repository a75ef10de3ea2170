"""Why an operator's step is refused: moves, stock, codes and files."""

from django.utils.translation import gettext_lazy as _

from zone.core.errors import ZoneError


class DrawRefused(ZoneError):
    """Facts: `why`."""

    code = "invalid_state"
    sentence = _("The draw was not changed: %(why)s")


class IllegalMove(ZoneError):
    """Facts: `status` now, `wanted`, and `allowed`, the moves there are."""

    code = "invalid_state"
    sentence = _("From “%(status)s” it cannot go to “%(wanted)s”. Possible: %(allowed)s.")


class NothingTaken(ZoneError):
    code = "invalid_state"
    sentence = _("This job took nothing away, so there is nothing to give back.")


class StillTaking(ZoneError):
    code = "invalid_state"
    sentence = _("This job is not over: cancel it first, or what it takes from now on stays away.")


class NotReady(ZoneError):
    """Facts: `missing`, what a benefit still lacks."""

    code = "validation_failed"
    sentence = _("This cannot be published yet: %(missing)s")
    http_status = 422


class CopyRefused(ZoneError):
    """Facts: `why`, the address, field or variables it is about."""

    code = "validation_failed"
    sentence = _("No copy was made: %(why)s is taken, cannot differ, or is not filled in.")
    http_status = 422


class EndingSettled(ZoneError):
    code = "invalid_state"
    sentence = _("It has ended at the provider already.")


class BinRefused(ZoneError):
    code = "invalid_state"
    sentence = _("Only a draft goes into the bin, and only for thirty days it comes back.")


class StockChanged(ZoneError):
    """Facts: `current`, the stock as it is now."""

    code = "stale_revision"
    sentence = _("Somebody else changed the stock: it is %(current)s now. Nothing was changed.")


class StockInUse(ZoneError):
    """Facts: `least`, as low as it can go."""

    code = "validation_failed"
    sentence = _("The stock cannot go below %(least)s: the others are already taken.")
    http_status = 400


class CodesMakeStock(ZoneError):
    code = "validation_failed"
    sentence = _("Codes make this stock: load a file, and each code in it adds one.")
    http_status = 400


class CodesExpired(ZoneError):
    """Facts: `expires_on`."""

    code = "validation_failed"
    sentence = _("These codes end on %(expires_on)s, too soon to promise anyone their use.")
    http_status = 422


class CodesLiveTooLong(ZoneError):
    """Facts: `expires_on`."""

    code = "validation_failed"
    sentence = _("These codes end on %(expires_on)s. Apple gives codes six months at most.")
    http_status = 422


class BatchNotSetAside(ZoneError):
    code = "invalid_state"
    sentence = _("This batch is not set aside, or cannot be read any more.")


class CodesInUse(ZoneError):
    """Facts: `count`."""

    code = "invalid_state"
    sentence = _("%(count)s of these codes are on sale or in members' hands.")


class ImportRefused(ZoneError):
    """Facts: `why`."""

    code = "validation_failed"
    sentence = _("The file was not taken: %(why)s")
    http_status = 422


class PictureRefused(ZoneError):
    """Facts: `why`."""

    code = "validation_failed"
    sentence = _("The picture was not taken: %(why)s")
    http_status = 422
