"""What codes in a rule are called, and what there is to choose from: for forms and for words."""

from collections.abc import Callable
from functools import cached_property

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from benefits.conditions.kinds import CURRENCIES
from benefits.models import Benefit, MemberTag, Segment
from credits.queries.tiers import find_plan
from zone.history.models.charge import Service
from zone.members.models import Wallet

# Services that are subscribed to; an App Store purchase is none.
_SUBSCRIBED = (Service.APPLE_MUSIC, Service.ICLOUD_PLUS, Service.OTHER)

Choice = tuple[str, str]


class NameBook:
    """Codes and their names in the language in force; each list is read once, when asked for."""

    def __call__(self, source: str, code: str) -> str:
        """What `code` is called; an unknown one is its own name."""
        return self._named.setdefault(source, dict(self.choices(source))).get(code, code)

    @cached_property
    def _named(self) -> dict[str, dict[str, str]]:
        return {}

    def choices(self, source: str) -> list[Choice]:
        """What may be chosen from a list; empty for a list that is written by hand."""
        reader = _LISTS.get(source)
        return reader() if reader else []


def _wallets() -> list[Choice]:
    return [(wallet.pk, wallet.local_name) for wallet in Wallet.objects.all()]


def _languages() -> list[Choice]:
    return [(code, _(str(name))) for code, name in settings.LANGUAGES]


def _segments() -> list[Choice]:
    rows = Segment.objects.order_by("name", "code").values_list("code", "name")
    return [(code, f"{name} ({code})") for code, name in rows]


def _tags() -> list[Choice]:
    """Tags that somebody has; a rule may name another one in JSON."""
    rows = MemberTag.objects.order_by("tag").values_list("tag", flat=True).distinct()
    return [(tag, tag) for tag in rows]


def _benefits() -> list[Choice]:
    """Every benefit by its title, drafts too: a rule may be written ahead of what it names."""
    language = get_language() or "en"
    rows = Benefit.objects.prefetch_related("texts").order_by("slug")
    named = []
    for benefit in rows:
        text = benefit.text(language)
        title = text.title if text is not None else ""
        named.append((benefit.slug, f"{title} ({benefit.slug})" if title else benefit.slug))
    return named


def _tiers() -> list[Choice]:
    plan = find_plan()
    return [(tier.code, tier.name) for tier in (plan.tiers if plan else ())]


def _services() -> list[Choice]:
    return [(str(service.value), str(service.label)) for service in _SUBSCRIBED]


def _currencies() -> list[Choice]:
    return [(code, code) for code in CURRENCIES]


def _states() -> list[Choice]:
    return [
        ("open", _("subscribed now")),
        ("never", _("never subscribed")),
        ("ever", _("subscribed now or before")),
        ("lapsed", _("subscribed before, not now")),
    ]


_LISTS: dict[str, Callable[[], list[Choice]]] = {
    "wallets": _wallets,
    "languages": _languages,
    "segments": _segments,
    "tags": _tags,
    "benefits": _benefits,
    "tiers": _tiers,
    "services": _services,
    "currencies": _currencies,
    "states": _states,
}
