"""What keeps a draft from its members: every fault at once, and what is only worth a look."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from benefits.errors import EntriesClosed
from benefits.models import Benefit, Release
from benefits.models.kinds import DRAW_TICKET
from benefits.models.release import Fulfilment
from benefits.queries import count_left, current_tree
from benefits.queries.draws import read_ticket_draws
from benefits.rules import find_entry_refusal
from benefits.services.population import count_quickly

_WHOLE_BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a draft. `blocks`: it cannot be sent to review like this."""

    sentence: str
    blocks: bool = True


def list_findings(benefit: Benefit, *, now: datetime) -> list[Finding]:
    """Everything a member would miss, the texts first; what does not block comes last."""
    found = [
        *_texts(benefit),
        *_fields(benefit),
        *_window(benefit, now),
        *_supply(benefit, now),
        *_ticket(benefit, now),
        *_money(benefit),
        *_rule(benefit, now),
    ]
    return sorted(found, key=lambda finding: not finding.blocks)


def _texts(benefit: Benefit) -> list[Finding]:
    texts = {text.language: text for text in benefit.texts.all()}
    english = texts.get("en")
    found = []
    if english is None or not english.title:
        found.append(Finding(_("a title in English")))
    if english is None or not english.terms:
        found.append(Finding(_("terms in English")))
    for code, name in settings.LANGUAGES:
        text = texts.get(code)
        if code != "en" and (text is None or not text.title or not text.terms):
            missing = _("no title and terms in %(language)s: English is shown") % {
                "language": _(str(name))
            }
            found.append(Finding(missing, blocks=False))
    if not benefit.artwork:
        found.append(Finding(_("no picture: one is drawn from the hue"), blocks=False))
    return found


def _fields(benefit: Benefit) -> list[Finding]:
    try:
        benefit.full_clean(exclude=["status"])
    except ValidationError as error:
        return [Finding(str(message)) for message in error.messages]
    return []


def _window(benefit: Benefit, now: datetime) -> list[Finding]:
    """Ends before starts are refused with the fields; here is what is over before it begins."""
    found = []
    for ends_at in (benefit.visible_until, benefit.claimable_until, benefit.usable_until):
        if ends_at is not None and ends_at <= now:
            found.append(
                Finding(
                    _("its end is in the past: %(at)s") % {"at": f"{ends_at:%Y-%m-%d %H:%M} UTC"}
                )
            )
    begins = max(filter(None, (benefit.visible_from, benefit.claimable_from)))
    if benefit.usable_until is not None and benefit.usable_until <= begins:
        found.append(Finding(_("its use ends before it can be claimed")))
    return found


def _supply(benefit: Benefit, now: datetime) -> list[Finding]:
    releases = list(benefit.releases.filter(Q(closes_at__isnull=True) | Q(closes_at__gt=now)))
    if not releases:
        if benefit.schedules.filter(is_active=True).exists():
            return []
        return [Finding(_("no release that is open or still to come"))]
    left = count_left([release.pk for release in releases], now=now)
    return [Finding(_no_units(release)) for release in releases if not left.get(release.pk)]


def _no_units(release: Release) -> str:
    if release.mode == Fulfilment.CODES:
        return _("no codes in release %(release)s") % {"release": release.public_id}
    return _("no stock in release %(release)s") % {"release": release.public_id}


def _ticket(benefit: Benefit, now: datetime) -> list[Finding]:
    """A ticket is good for nothing but its draw: that one takes entries for as long as it is sold."""
    if benefit.kind != DRAW_TICKET:
        return []
    draw = read_ticket_draws([benefit]).get(benefit.pk)
    if draw is None or isinstance(find_entry_refusal(draw, now=now), EntriesClosed):
        return [Finding(_("its draw takes no entries by ticket any more: choose another one"))]
    prize = draw.release.benefit
    found = []
    if prize.livemode != benefit.livemode:
        found.append(Finding(_("ticket and prize are not both of the live mode")))
    if prize.status not in Benefit.SHOWN_STATUSES:
        found.append(Finding(_("what can be won is not approved: approve the prize first")))
    when = f"{draw.entries_close_at:%Y-%m-%d %H:%M} UTC"
    own_ends = [benefit.claimable_until, benefit.visible_until]
    releases = benefit.releases.filter(Q(closes_at__isnull=True) | Q(closes_at__gt=now))
    windows = [[*own_ends, release.closes_at] for release in releases]
    if benefit.schedules.filter(is_active=True).exists():
        windows.append(own_ends)
    if any(_last_claim_at(ends) > draw.entries_close_at for ends in windows):
        found.append(
            Finding(
                _("entries close %(when)s: set “claimable until” to that or earlier")
                % {"when": when}
            )
        )
    return found


def _last_claim_at(ends: list[datetime | None]) -> datetime:
    """The first of several ends; none of them is an end that never comes."""
    return min((end for end in ends if end is not None), default=datetime.max.replace(tzinfo=UTC))


def _money(benefit: Benefit) -> list[Finding]:
    budget = benefit.budget
    if budget is None:
        return []
    found = []
    if budget.currency != benefit.unit_cost_currency:
        found.append(Finding(_("its cost and its budget are in different currencies")))
    elif budget.spent + benefit.unit_cost > budget.amount:
        found.append(Finding(_("the budget does not pay for one unit")))
    if sum(budget.shares.values_list("basis_points", flat=True)) != _WHOLE_BASIS_POINTS:
        found.append(Finding(_("the budget's shares do not make a whole")))
    return found


def _rule(benefit: Benefit, now: datetime) -> list[Finding]:
    tree: Any = current_tree(benefit)
    if tree == {}:
        return []
    try:
        counted = count_quickly(tree=tree, benefit=benefit, now=now)
    except ValidationError as error:
        return [Finding(" ".join(error.messages))]
    if counted.examined and not counted.estimate.counted:
        return [Finding(_("its rule lets in nobody of the members there are"))]
    return []
