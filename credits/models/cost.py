from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from credits.kinds import Funding


class UnitCost(models.Model):
    """What a thousand credits of one funder are expected to cost in one currency, from a day on."""

    class Funder(models.IntegerChoices):
        PROMOTIONAL = Funding.PROMOTIONAL.value, _("promotional")
        PAID = Funding.PAID.value, _("paid")

    funder = models.SmallIntegerField(_("funder"), choices=Funder)
    currency = models.CharField(_("currency"), max_length=3)
    per_thousand = models.PositiveIntegerField(
        _("cost of 1,000 credits"), validators=[MinValueValidator(1)]
    )
    starts_on = models.DateField(_("from"))

    class Meta:
        verbose_name = _("unit cost")
        verbose_name_plural = _("unit costs")
        ordering = ["currency", "funder", "-starts_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["funder", "currency", "starts_on"], name="credits_unitcost_once"
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex="^[A-Z]{3}$"), name="credits_unitcost_currency"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.get_funder_display()} {self.starts_on}"
