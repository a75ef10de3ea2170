"""Where a benefit is open, as operators write it: wallets and Apple's regions, each by its code."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from benefits.regions import is_region, no_region
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
        if not is_region(code):
            raise ValidationError(no_region(code))
    return read
