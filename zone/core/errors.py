"""The one family of refusals. Every door turns these into its own kind of answer."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _


class ZoneError(Exception):
    """A clear no.

    `code` is stable and public (API.md of the partner contract lists them), `sentence` is what a
    member or partner reads, `facts` are the values inside it, and `http_status` is what an HTTP
    door answers with. `is_retryable` says that the same request may succeed later.
    """

    code: ClassVar[str] = "internal"
    sentence: ClassVar[Any] = _("Something went wrong on our side. Nothing was changed.")
    http_status: ClassVar[int] = 409
    is_retryable: ClassVar[bool] = False

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.code)

    def __str__(self) -> str:
        return str(self.sentence) % self.facts if self.facts else str(self.sentence)


class NotFound(ZoneError):
    code = "not_found"
    sentence = _("We could not find that.")
    http_status = 404


class Unavailable(ZoneError):
    code = "unavailable"
    sentence = _("We cannot reach our records right now. Please try again in a moment.")
    http_status = 503
    is_retryable = True
