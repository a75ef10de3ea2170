"""Why a rule is not asked for, not approved, or a segment not filled."""

from django.utils.translation import gettext_lazy as _

from zone.core.errors import ZoneError


class RuleRequestOpen(ZoneError):
    """Facts: `request`."""

    code = "invalid_state"
    sentence = _(
        "Request %(request)s waits for approval already. Decide on it or withdraw it first."
    )


class RuleUnchanged(ZoneError):
    code = "validation_failed"
    sentence = _("That is the rule in force: there is nothing to approve.")
    http_status = 400


class OwnRequest(ZoneError):
    code = "permission_denied"
    sentence = _("You asked for this yourself: somebody else has to decide.")
    http_status = 403


class OwnBenefit(ZoneError):
    code = "permission_denied"
    sentence = _("You sent this to review yourself: somebody else has to approve it.")
    http_status = 403


class NotTheMaker(ZoneError):
    code = "permission_denied"
    sentence = _("Only whoever asked can withdraw it.")
    http_status = 403


class RequestClosed(ZoneError):
    """Facts: `state`."""

    code = "invalid_state"
    sentence = _("It is closed already: %(state)s.")


class RequestStale(ZoneError):
    """Facts: `version`."""

    code = "stale_revision"
    sentence = _("The rule changed meanwhile: version %(version)s is in force. Ask anew.")


class RequestTampered(ZoneError):
    code = "invalid_state"
    sentence = _("What is stored is not what was asked for. Nothing was applied.")


class TrialUnfinished(ZoneError):
    code = "invalid_state"
    sentence = _("Its trial on members is not done yet. Nobody signs without the numbers.")


class CommentMissing(ZoneError):
    code = "validation_failed"
    sentence = _("Say why, in a few words.")
    http_status = 400


class SegmentIsLive(ZoneError):
    code = "invalid_state"
    sentence = _("This segment follows its rule: nobody is added or removed by hand.")


class SegmentIsList(ZoneError):
    code = "invalid_state"
    sentence = _("This segment is a list: it has no rule.")


class SegmentRuleRefused(ZoneError):
    """Facts: `why`."""

    code = "validation_failed"
    sentence = _("This rule cannot make a segment: %(why)s")
    http_status = 400
