from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from benefits.models.kinds import CREDIT_PACK


class RuleVersion(models.Model):
    """Who may claim a benefit, as a tree of conditions. Never changed: a new one takes its place.

    The version with the highest number is in force. An empty tree means everybody.
    """

    benefit = models.ForeignKey(
        "benefits.Benefit", on_delete=models.PROTECT, related_name="rule_versions"
    )
    version = models.PositiveIntegerField()
    tree = models.JSONField(_("rule"), default=dict, blank=True)
    actor = models.CharField(max_length=80)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["benefit", "version"], name="benefits_ruleversion_number"
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.version}"


class PriceRow(models.Model):
    """Another price for some members. Rows are read from the top; the first that fits counts."""

    benefit = models.ForeignKey(
        "benefits.Benefit", on_delete=models.CASCADE, related_name="price_rows"
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    segment = models.ForeignKey(
        "benefits.Segment", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    wallet = models.ForeignKey(
        "members.Wallet", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # A tier's code: whoever has reached it, so the row of the highest tier stands on top.
    tier = models.SlugField(_("from this tier up"), max_length=24, blank=True, db_default="")
    price_credits = models.PositiveIntegerField(_("price in credits"))

    class Meta:
        verbose_name = _("price row")
        verbose_name_plural = _("price rows")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["benefit", "position"], name="benefits_pricerow_order"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.price_credits}"

    def clean(self) -> None:
        if self.price_credits and self.benefit_id and self.benefit.kind == CREDIT_PACK:
            raise ValidationError({"price_credits": _("Credits cannot buy credits.")})
