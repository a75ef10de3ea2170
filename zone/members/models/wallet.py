from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.wording import TextsField, text_in


class Wallet(models.Model):
    """One eWallet and its market: what it settles in, where its days begin, how one signs in."""

    code = models.CharField(_("code"), max_length=24, primary_key=True)
    name = models.CharField(_("name"), max_length=60)
    # {"zh-hans": "支付宝"}: where members of another language know it by another name.
    names = TextsField(
        _("names in other languages"),
        has_english=False, text_length=60, default=dict, db_default={}, blank=True,
    )  # fmt: skip
    country = models.CharField(_("country"), max_length=2)
    currency = models.CharField(_("currency"), max_length=3)
    storefront = models.CharField(_("storefront"), max_length=3)
    # Days, months and expiry of this market's members are counted in this zone.
    time_zone = models.CharField(_("time zone"), max_length=40)
    default_language = models.CharField(_("default language"), max_length=10, default="en")
    # Which WalletConnector signs its members in; a callable of the connectors lists them.
    connector = models.CharField(_("connector"), max_length=24, default="sandbox")
    is_open = models.BooleanField(_("open for sign-in"), default=False)
    # A test wallet has test members; live and test objects never meet.
    livemode = models.BooleanField(_("live mode"), default=True)
    notifies_cancel = models.BooleanField(_("tells of a cancel in the wallet"), default=True)
    sort_weight = models.PositiveSmallIntegerField(_("order"), default=100)

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")
        ordering = ["sort_weight", "code"]

    def __str__(self) -> str:
        return self.name

    @property
    def local_name(self) -> str:
        """What the reader calls it."""
        return text_in(self.names, otherwise=self.name)
