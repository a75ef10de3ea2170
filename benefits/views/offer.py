"""What the detail page, the confirm page and a refusal all show of one offer."""

from typing import Any

from django.utils.translation import get_language

from benefits.queries import Card
from credits.queries import get_balance
from zone.core.ids import uuid7
from zone.members.models import Member


def available_credits(member: Member | None) -> int | None:
    """The member's credits now; None for somebody who only looks around."""
    return get_balance(member).available if member is not None else None


def words_language(member: Member | None, active: str = "") -> str:
    """The language a benefit's own words are chosen in: finer than the page's where there is one.

    `active` is the page's, when it is another than the one in force.

    A page in Chinese is said in one Chinese; a benefit may be written in its reader's own, and for
    Traditional Chinese in their market's.
    """
    active = active or get_language() or "en"
    if member is None:
        return active
    return words_for(member.language, country=member.wallet.country, active=active)


def words_for(language: str, *, country: str, active: str) -> str:
    """`words_language` of a member who reads `language`, with a wallet of `country`."""
    if language.partition("-")[0] != active.partition("-")[0]:
        return active
    if language == "zh-hant":
        return f"zh-hant-{country.lower()}"
    return language


def claim_context(card: Card, *, available: int | None) -> dict[str, Any]:
    """An offer with a fresh operation id: each page makes its own, each retry keeps it."""
    return {
        "card": card,
        "available": available,
        "balance_after": None if available is None else available - card.price_credits,
        "op_id": uuid7(),
    }
