from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class StockHold(models.Model):
    """A unit that a partner asked to be held for a member; its place in line says how it ended.

    The unit itself is a returned slot that names the member, as an offer of the line is.
    """

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "shd"), editable=False
    )
    entry = models.OneToOneField(
        "benefits.WaitlistEntry", on_delete=models.PROTECT, related_name="hold"
    )
    partner_id = models.BigIntegerField()
    livemode = models.BooleanField()
    external_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("hold of a unit")
        verbose_name_plural = _("holds of units")
        constraints = [
            models.UniqueConstraint(
                fields=["partner_id", "livemode", "external_id"], name="benefits_stockhold_once"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
