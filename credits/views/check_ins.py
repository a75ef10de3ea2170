"""Checking in: one POST, answered with the panel or a redirect to where the member was."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from credits.queries import get_balance
from credits.queries.check_ins import get_check_in
from credits.services.check_ins import CheckedIn, check_in
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.http import private, wants_partial
from zone.members.models import Member

_BACK_TO = {"credits": "/credits"}


@require_POST
def post_check_in(request: HttpRequest) -> HttpResponse:
    """Count today. A second tap says to come back tomorrow; a refusal is a sentence."""
    member: Member = request.member  # type: ignore[attr-defined]
    try:
        done = check_in(member=member)
    except ZoneError as refusal:
        messages.error(request, str(refusal))
    else:
        level = messages.SUCCESS if done.is_first else messages.INFO
        messages.add_message(request, level, _words(done))
    if not wants_partial(request):
        return private(redirect(_BACK_TO.get(request.POST.get("from", ""), "/")))
    context = {
        "check_in": get_check_in(member, now=database_now()),
        "balance": get_balance(member),
    }
    return private(render(request, "credits/_checked_in.html", context))


def _words(done: CheckedIn) -> str:
    """The toast: what came in, and what was saved."""
    if not done.is_first:
        return _("You have checked in today. Come back tomorrow.")
    words = [_("Checked in, +%(credits)s credits.") % {"credits": done.credits}]
    if done.shields_used:
        words.append(
            ngettext(
                "A shield saved the day you missed.",
                "%(count)s shields saved the days you missed.",
                done.shields_used,
            )
            % {"count": done.shields_used}
        )
    elif done.has_restarted:
        words.append(_("A new streak begins."))
    if done.has_new_shield:
        words.append(_("You earned a shield: it saves a day you miss."))
    return " ".join(words)
