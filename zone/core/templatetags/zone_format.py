"""How values read in the member's language and time zone: `{% load zone_format %}`.

Django's own number and date formats differ between our languages in ways a member would notice
(Chinese and Filipino numbers come out ungrouped), so everything goes through Babel's CLDR data.
"""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from django import template
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext

from zone.core.money import babel_locale, format_count, format_money
from zone.core.wording import text_in

register = template.Library()


def _language() -> str:
    return get_language() or "en"


def _instant(value: Any) -> Any:
    """An ISO text from stored facts becomes a date or an instant; instants move to local time."""
    if not value:
        return None  # A fact that a notice was written without leaves a gap, not an error.
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
def count(value: int | str) -> str:
    """2480 is 2,480 in every language; nothing for a fact that was never written."""
    if value in ("", None):
        return ""
    return format_count(int(value), _language())


@register.filter
def day(value: Any) -> str:
    """Nov 20, 2026 · 2026年11月20日."""
    value = _instant(value)
    return format_date(value, "medium", locale=babel_locale(_language())) if value else ""


@register.filter
def short_day(value: Any) -> str:
    """Fri, Nov 20 · 11月20日周五; with its year when that is not plain."""
    value = _instant(value)
    if not value:
        return ""
    return format_skeleton(_day_skeleton(value), value, locale=babel_locale(_language()))


def _day_skeleton(value: date) -> str:
    """A day of another year, half a year off or more, is read as one of this year without it."""
    today = timezone.localdate()
    on = value.date() if isinstance(value, datetime) else value
    is_plain = on.year == today.year or abs((on - today).days) < _PLAIN_DAYS
    return "MMMEd" if is_plain else "yMMMEd"


_PLAIN_DAYS = 183


@register.filter
def long_day(value: Any) -> str:
    """Friday, November 20 · 11月20日星期五."""
    value = _instant(value)
    return format_date(
        value, _LONG_DAY.get(_language(), "EEEE, MMMM d"), locale=babel_locale(_language())
    )


_LONG_DAY = {"zh-hans": "M月d日 EEEE", "zh-hant": "M月d日 EEEE", "fil": "EEEE, MMMM d"}


@register.filter
def clock_time(value: Any) -> str:
    """8:00 PM · 20:00."""
    value = _instant(value)
    return format_time(value, "short", locale=babel_locale(_language())) if value else ""


@register.filter
def moment(value: Any) -> str:
    """Fri, Nov 20, 8:00 PM · 11月20日周五 20:00; with its year when that is not plain."""
    value = _instant(value)
    if not value:
        return ""
    # Without its zone: 12:00 in UTC and 20:00 in Shanghai are equal, and are not read the same.
    return _moment(value.replace(tzinfo=None), _language(), _day_skeleton(value))


@lru_cache(maxsize=4096)
def _moment(value: datetime, language: str, skeleton: str) -> str:
    """Finding the pattern costs as much as a query, and a rush says few different instants."""
    locale = babel_locale(language)
    joint = " " if language.startswith("zh") else ", "
    written = format_skeleton(skeleton, value, locale=locale)
    return f"{written}{joint}{format_time(value, 'short', locale=locale)}"


@register.filter
def in_language(value: Any) -> str:
    """The reader's language out of `{"en": ..., "zh-hans": ...}`; plain text stays as it is."""
    if not isinstance(value, dict):
        return str(value)
    return text_in(value, language=_language())


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


@register.filter
def month_day(value: Any) -> str:
    """Nov 20 · 11月20日."""
    value = _instant(value)
    return format_skeleton("MMMd", value, locale=babel_locale(_language())) if value else ""


_SOON_DAYS = 14


@register.filter
def ends_in(value: datetime, now: datetime) -> str:
    """How long something still lasts, in the words a person would use, by their own calendar."""
    end = _instant(value)
    days = (end.date() - _instant(now).date()).days
    if days <= 0:
        return gettext("Ends today, %(time)s") % {"time": clock_time(end)}
    if days == 1:
        return gettext("Ends tomorrow, %(time)s") % {"time": clock_time(end)}
    if days <= _SOON_DAYS:
        return ngettext("%(days)s day left", "%(days)s days left", days) % {"days": days}
    return gettext("Good until %(day)s") % {"day": day(end)}


@register.filter
def is_soon(value: datetime, now: datetime) -> bool:
    """Whether `ends_in` counts days: the end is near enough to say so in colour."""
    days: int = (_instant(value).date() - _instant(now).date()).days
    return days <= _SOON_DAYS


@register.filter
def storefront_names(codes: list[str]) -> str:
    """Where Apple accounts live, by name: ISO 3166 codes as Apple's storefronts spell them."""
    names = Locale.parse(babel_locale(_language())).territories
    joint = "、" if _language().startswith("zh") else ", "
    return joint.join(
        str(names.get(_ALPHA_2.get(code.upper(), code.upper()), code)) for code in codes
    )


@register.filter
def storefront_name(code: str) -> str:
    """China for CHN; nothing for a region that is not known yet."""
    return storefront_names([code]) if code else ""


# App Store storefronts are ISO 3166-1 alpha-3 (developer.apple.com, Storefront); CLDR knows alpha-2.
_ALPHA_2 = {
    "CHN": "CN", "HKG": "HK", "MAC": "MO", "TWN": "TW", "PHL": "PH", "MYS": "MY", "THA": "TH",
    "SGP": "SG", "IDN": "ID", "JPN": "JP", "KOR": "KR", "USA": "US", "BGD": "BD", "PAK": "PK",
    "VNM": "VN", "MNG": "MN", "GBR": "GB",
}  # fmt: skip
