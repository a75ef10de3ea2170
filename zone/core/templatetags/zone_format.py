"""How values read in the member's language and time zone: `{% load zone_format %}`.

Django's own number and date formats differ between our languages in ways a member would notice
(Chinese and Filipino numbers come out ungrouped), so everything goes through Babel's CLDR data.
"""

from datetime import UTC, date, datetime
from typing import Any

from babel.dates import format_date, format_skeleton, format_time
from django import template
from django.utils import timezone
from django.utils.translation import get_language

from zone.core.money import babel_locale, format_count, format_money

register = template.Library()


def _language() -> str:
    return get_language() or "en"


def _instant(value: Any) -> Any:
    """An ISO text from stored facts becomes a date or an instant; instants move to local time."""
    if isinstance(value, str):
        value = (
            datetime.fromisoformat(value)
            if "T" in value or " " in value
            else date.fromisoformat(value)
        )
    if isinstance(value, datetime):
        return timezone.localtime(value if value.tzinfo else value.replace(tzinfo=UTC))
    return value


@register.filter
def money(value: int, currency: str) -> str:
    """6800|money:"CNY" is ¥68.00."""
    return format_money(value, currency, _language())


@register.filter
def count(value: int) -> str:
    """2480 is 2,480 in every language."""
    return format_count(int(value), _language())


@register.filter
def day(value: Any) -> str:
    """Nov 20, 2026 · 2026年11月20日."""
    value = _instant(value)
    return format_date(value, "medium", locale=babel_locale(_language())) if value else ""


@register.filter
def short_day(value: Any) -> str:
    """Fri, Nov 20 · 11月20日周五."""
    value = _instant(value)
    return format_skeleton("MMMEd", value, locale=babel_locale(_language())) if value else ""


@register.filter
def clock_time(value: Any) -> str:
    """8:00 PM · 20:00."""
    value = _instant(value)
    return format_time(value, "short", locale=babel_locale(_language())) if value else ""


@register.filter
def moment(value: Any) -> str:
    """Fri, Nov 20, 8:00 PM · 11月20日周五 20:00."""
    value = _instant(value)
    if not value:
        return ""
    locale = babel_locale(_language())
    joint = " " if _language().startswith("zh") else ", "
    written = format_skeleton("MMMEd", value, locale=locale)
    return f"{written}{joint}{format_time(value, 'short', locale=locale)}"


@register.filter
def in_language(value: Any) -> str:
    """The reader's language out of `{"en": ..., "zh-hans": ...}`; plain text stays as it is."""
    if not isinstance(value, dict):
        return str(value)
    return str(value.get(_language()) or value.get("en") or next(iter(value.values()), ""))


# Apple's services as pictures: a part of the name decides, and an app is a game pad like any other.
_SERVICE_LOOKS = (
    ("music", "pink", "music"),
    ("icloud", "blue", "cloud"),
    ("tv", "night", "film"),
    ("arcade", "violet", "game"),
    ("book", "orange", "book"),
    ("one", "mint", "star"),
)


def _look(service: str) -> tuple[str, str]:
    name = service.lower()
    return next(
        ((hue, icon) for part, hue, icon in _SERVICE_LOOKS if part in name), ("violet", "game")
    )


@register.filter
def service_hue(service: str) -> str:
    """The hue of a service: music is pink, cloud is blue."""
    return _look(service)[0]


@register.filter
def service_icon(service: str) -> str:
    return _look(service)[1]
