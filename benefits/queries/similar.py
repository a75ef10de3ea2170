"""What else there is, for somebody who came too late: a short list, kept for a blink."""

import time
from dataclasses import dataclass
from datetime import datetime

from benefits import rules
from benefits.models import Benefit, Release, RuleVersion
from benefits.queries.cards import Card, list_cards
from benefits.rules import MemberFacts

SIMILAR_MAX = 3
KEPT_SECONDS = 2.0
_KEPT_MAX = 500


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    cards: list[Card]


_kept: dict[tuple[str, bool, str], _Kept] = {}


def list_similar(
    *, release: Release, version: str, facts: MemberFacts, language: str, now: datetime
) -> list[Card]:
    """Benefits that this member could claim now instead, free ones first, three at most.

    In a rush everyone asks for the same list, so it is read once in two seconds a process. What
    needs a look at the member beyond `facts`, a rule, a balance or a ticket's prize, is left to the
    benefit's page; so is an hour, which each reads in a zone of their own.
    """
    key = (version, facts.livemode, language)
    kept = _kept.get(key)
    if kept is None or kept.until < time.monotonic():
        kept = _Kept(time.monotonic() + KEPT_SECONDS, _read(facts, language, now))
        if len(_kept) >= _KEPT_MAX:
            _kept.clear()
        _kept[key] = kept
    fitting = [
        card
        for card in kept.cards
        if card.benefit.pk != release.benefit_id
        and rules.find_member_refusal(benefit=card.benefit, facts=facts) is None
    ]
    return fitting[:SIMILAR_MAX]


def _read(facts: MemberFacts, language: str, now: datetime) -> list[Card]:
    benefits = Benefit.objects.listed(now).filter(livemode=facts.livemode)
    benefits = benefits.exclude(bundle_items__bundle__is_active=True)
    cards = [
        card
        for card in list_cards(
            member=None, available=None, now=now, language=language, benefits=benefits
        )
        if card.state == "claimable" and card.ticket_draw is None
    ]
    newest = RuleVersion.objects.order_by("benefit_id", "-version").distinct("benefit_id")
    ruled = {version.benefit_id for version in newest if version.tree}
    return sorted(
        (card for card in cards if card.benefit.pk not in ruled),
        key=lambda card: card.price_credits > 0,
    )
