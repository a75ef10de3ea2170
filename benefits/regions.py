"""Regions as Apple's storefronts spell them: ISO 3166-1 alpha-3, such as HKG."""

from babel import Locale
from babel.core import get_global
from django.utils.translation import gettext as _


def is_region(code: str) -> bool:
    """Whether the Unicode CLDR, which spells regions with two letters, knows these three."""
    spelled = get_global("territory_aliases").get(code, [])
    is_one = len(code) == 3 and code.isalpha() and len(spelled) == 1
    return is_one and spelled[0] in Locale("en").territories and spelled[0] not in ("XX", "ZZ")


def no_region(code: str) -> str:
    """What to say to whoever wrote one that there is not."""
    return _("“%(code)s” is no region: codes have three letters, such as HKG.") % {"code": code}
