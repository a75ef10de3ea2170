"""What a transaction or a subscription is called, and what its state means to a member."""

from datetime import date, datetime

from babel.dates import format_date, format_skeleton
from django import template
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from zone.core.money import babel_locale, format_money
from zone.history.models import ChargeLine, Subscription, SubscriptionEvent
from zone.history.naming import service_name
from zone.history.queries.activity import Entry

register = template.Library()
_HUES = {"app_store": "mint", "in_app": "violet", "apple_music": "pink", "icloud_plus": "blue"}
_ICONS = {"app_store": "tag", "in_app": "game", "apple_music": "music", "icloud_plus": "cloud"}


def _locale() -> str:
    return babel_locale(get_language() or "en")


@register.filter
def year_month(value: date) -> str:
    """November 2026 · 2026年11月."""
    return format_skeleton("yMMMM", value, locale=_locale())


@register.filter
def month_name(value: date) -> str:
    """Nov · 11月."""
    return format_skeleton("MMM", value, locale=_locale())


@register.filter
def weekday_short(value: date) -> str:
    """M · 一."""
    return format_date(value, "ccccc", locale=_locale())


@register.filter
def weekday_name(value: date) -> str:
    return format_date(value, "cccc", locale=_locale())


def _day(moment: datetime) -> str:
    local = timezone.localtime(moment)
    same_year = local.year == timezone.localtime().year
    skeleton = "MMMd" if same_year else "yMMMd"
    return format_skeleton(skeleton, local, locale=_locale())


@register.filter
def entry_name(entry: Entry) -> str:
    """The first thing bought, and how many came with it."""
    if entry.first_line is None:
        return _("Apple purchase")
    if not entry.more_count:
        return entry.first_line.name
    return _("%(name)s and %(count)d more") % {
        "name": entry.first_line.name,
        "count": entry.more_count,
    }


@register.filter
def entry_kind(entry: Entry) -> str:
    """What the first thing was; for a charge without lines, its name on the wallet's statement."""
    if entry.first_line:
        return line_kind(entry.first_line)
    return (entry.charge.merchant_name if entry.charge else "") or _("No details")


@register.filter
def entry_icon(entry: Entry) -> str:
    return _ICONS.get(entry.service, "bill")


@register.filter
def entry_hue(entry: Entry) -> str:
    return line_hue(entry.first_line) if entry.first_line else "orange"


@register.filter
def line_hue(line: ChargeLine) -> str:
    return _HUES.get(line.service, "orange")


@register.filter
def line_icon(line: ChargeLine) -> str:
    return _ICONS.get(line.service, "bill")


@register.filter
def line_kind(line: ChargeLine) -> str:
    if line.is_recurring and line.service in ("in_app", "app_store"):
        return _("Subscription")
    return service_name(line.service)


@register.filter
def period_words(period: str) -> str:
    """P1M is "a month"; an unknown period says nothing."""
    return {
        "P1W": _("a week"),
        "P1M": _("a month"),
        "P2M": _("every two months"),
        "P3M": _("every three months"),
        "P6M": _("every six months"),
        "P1Y": _("a year"),
    }.get(period, "")


@register.filter
def needs_care(subscription: Subscription) -> bool:
    """Whether the member should do something, or access ends."""
    return subscription.status in (Subscription.Status.GRACE, Subscription.Status.RETRY)


@register.filter
def state_words(subscription: Subscription, now: datetime) -> str:
    """One line: what happens next and when, or what happened."""
    facts = {
        "day": _day(subscription.period_ends_at),
        "price": format_money(subscription.price, subscription.currency, get_language() or "en"),
    }
    is_over = subscription.period_ends_at < now
    status = subscription.status
    if status == Subscription.Status.TRIAL:
        words = _("Free trial until %(day)s, then %(price)s")
    elif status == Subscription.Status.ACTIVE:
        words = (
            _("Was due %(day)s, waiting for news from Apple") if is_over else _("Renews %(day)s")
        )
    elif status == Subscription.Status.CANCEL_SCHEDULED:
        if is_over:
            words = _("Ended %(day)s")
        elif subscription.is_trial:
            words = _("Free trial until %(day)s, then it ends")
        else:
            words = _("Canceled, yours until %(day)s")
    elif status == Subscription.Status.GRACE:
        words = _("Payment due: yours until %(day)s")
    elif status == Subscription.Status.RETRY:
        words = _("Apple could not charge your wallet")
    elif status == Subscription.Status.REVOKED:
        words = _("Withdrawn by Apple")
    else:
        words = _end_words(subscription.expiration_intent)
        facts["day"] = _day(min(subscription.period_ends_at, subscription.occurred_at))
    return words % facts


def _end_words(intent: int | None) -> str:
    """Apple's `expirationIntent`, in words."""
    return {
        1: _("Canceled, ended %(day)s"),
        2: _("Ended %(day)s: the payment failed"),
        3: _("Ended %(day)s: the new price was not accepted"),
        4: _("Ended %(day)s: no longer offered"),
    }.get(intent or 0, _("Ended %(day)s"))


@register.filter
def event_words(event: SubscriptionEvent, subscription: Subscription) -> str:
    """What one message meant, in the past tense."""
    is_first = event.occurred_at == subscription.started_at
    if is_first and event.status == Subscription.Status.ACTIVE:
        return _("Started")
    return {
        Subscription.Status.TRIAL: _("Free trial started"),
        Subscription.Status.ACTIVE: _("Renewed"),
        Subscription.Status.CANCEL_SCHEDULED: _("Renewal switched off"),
        Subscription.Status.GRACE: _("Payment failed, access kept"),
        Subscription.Status.RETRY: _("Payment failed"),
        Subscription.Status.EXPIRED: _("Ended"),
        Subscription.Status.REVOKED: _("Withdrawn by Apple"),
    }.get(Subscription.Status(event.status), "")
