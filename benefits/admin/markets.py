"""Where a benefit is open, as operators write it: wallets and Apple's regions, each by its code."""

from collections.abc import Iterable

from babel import Locale
from babel.core import get_global
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from zone.members.models import Wallet


def read_wallets(codes: Iterable[str]) -> list[str]:
    """The codes as wallets spell them. Raises ValidationError for one that no wallet has."""
    known = set(Wallet.objects.values_list("pk", flat=True))
    read = [code.strip().upper() for code in codes]
    for code in read:
        if code not in known:
            raise ValidationError(_("There is no wallet “%(code)s”.") % {"code": code})
    return read


def read_storefronts(codes: Iterable[str]) -> list[str]:
    """The codes as Apple's storefronts spell them, ISO 3166-1 alpha-3. Raises ValidationError."""
    read = [code.strip().upper() for code in codes]
    for code in read:
        if not _is_region(code):
            text = _("“%(code)s” is no region: codes have three letters, such as HKG.")
            raise ValidationError(text % {"code": code})
    return read


def _is_region(code: str) -> bool:
    """Whether the Unicode CLDR, which spells regions with two letters, knows these three."""
    spelled = get_global("territory_aliases").get(code, [])
    is_one = len(code) == 3 and code.isalpha() and len(spelled) == 1
    return is_one and spelled[0] in Locale("en").territories and spelled[0] not in ("XX", "ZZ")
