"""Panels that look the same for thousands: made once in a second, with blanks for one's own."""

import time
from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import get_language

from benefits.models import Claim
from benefits.services.reveal import Revealed
from benefits.templatetags.benefit_looks import in_groups
from benefits.views.mine import result_context
from benefits.views.offer import words_language

PANEL_SECONDS = 1.0
_PANELS_MAX = 500
# What stands in a kept panel for one's own: of the same alphabets, and never given out.
ANY_CLAIM = "clm_00000000000000000000000000"
_ANY_CODE = "0000NEVER0000GIVEN0000OUT0000000"
_ANY_URL = "https://never.invalid/given-out"

_panels: dict[tuple[object, ...], tuple[float, str]] = {}


def kept_panel(key: tuple[object, ...], make: Callable[[], str]) -> str:
    """The panel under `key`, made at most a second ago."""
    kept = _panels.get(key)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    made = make()
    if len(_panels) >= _PANELS_MAX:
        _panels.clear()
    _panels[key] = (time.monotonic() + PANEL_SECONDS, made)
    return made


def won_panel(
    request: HttpRequest, claim: Claim, revealed: Revealed, *, version: str, now: datetime
) -> str:
    """The panel of a claim whose code is shown with it; the same for all but three blanks."""

    def make() -> str:
        blank = Revealed(_ANY_CODE, _ANY_URL if revealed.redeem_url else "", revealed.revealed_at)
        context = {**result_context(claim, now=now), "revealed": blank}
        page = render_to_string("benefits/_result.html", context, request)
        return page.replace(claim.public_id, ANY_CLAIM)

    state = claim.state_at(now)
    key = (
        *("won", version, get_language(), words_language(claim.member)),
        *(state, claim.valid_until, claim.price_credits),
        *(request.member.time_zone, bool(revealed.redeem_url)),  # type: ignore[attr-defined]
    )
    return (
        kept_panel(key, make)
        .replace(ANY_CLAIM, claim.public_id)
        .replace(in_groups(_ANY_CODE), escape(in_groups(revealed.code)))
        .replace(_ANY_CODE, escape(revealed.code))
        .replace(_ANY_URL, escape(revealed.redeem_url))
    )
