"""Panels that look the same for thousands: made once in a second, with blanks for one's own."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.html import escape

from benefits.models import Claim
from benefits.sealed import OpenCode
from benefits.templatetags.benefit_looks import in_groups
from benefits.views.mine import result_context

PANEL_SECONDS = 1.0
MAKING_SECONDS = 0.2
_PANELS_MAX = 500
# What stands in a kept panel for one's own: of the same alphabets, and never given out.
ANY_CLAIM = "clm_00000000000000000000000000"
_ANY_CODE = "0000NEVER0000GIVEN0000OUT0000000"
_ANY_URL = "https://never.invalid/given-out"

_panels: dict[tuple[object, ...], tuple[float, str]] = {}


def kept_panel(key: tuple[object, ...], make: Callable[[], str]) -> str:
    """The panel under `key`, made at most a second ago; a moment more while one thread makes it."""
    kept, now = _panels.get(key), time.monotonic()
    if kept is not None:
        if kept[0] > now:
            return kept[1]
        _panels[key] = (now + MAKING_SECONDS, kept[1])
    made = make()
    if len(_panels) >= _PANELS_MAX:
        _panels.clear()
    _panels[key] = (time.monotonic() + PANEL_SECONDS, made)
    return made


@dataclass(frozen=True, slots=True)
class Winning:
    """Everything that the panel of a won code is made from, but the code."""

    public_id: str
    version: str  # the release's
    language: str  # the page's
    words: str  # the language of the benefit's own words
    time_zone: str
    price_credits: int
    valid_from: datetime | None  # when that is still to come
    valid_until: datetime | None


def won_panel(winning: Winning, opened: OpenCode, read_claim: Callable[[], Claim]) -> str:
    """The panel of a claim whose code is shown with it; the same for all but three blanks."""

    def make() -> str:
        claim = read_claim()
        blank = OpenCode(_ANY_CODE, _ANY_URL if opened.redeem_url else "")
        with (
            translation.override(winning.language),
            timezone.override(ZoneInfo(winning.time_zone)),
        ):
            context = {**result_context(claim, now=claim.updated_at), "revealed": blank}
            page = render_to_string("benefits/_result.html", context)
        return page.replace(winning.public_id, ANY_CLAIM)

    key = ("won", replace(winning, public_id=""), bool(opened.redeem_url))
    return (
        kept_panel(key, make)
        .replace(ANY_CLAIM, winning.public_id)
        .replace(in_groups(_ANY_CODE), escape(in_groups(opened.code)))
        .replace(_ANY_CODE, escape(opened.code))
        .replace(_ANY_URL, escape(opened.redeem_url))
    )
