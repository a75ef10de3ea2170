from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class Redemption(models.Model):
    """One use of a claim: with which order, for how much, and whether it was taken back.

    A claim is used once; one whose value may be used in parts is used until nothing is left of it.
    """

    class Status(models.TextChoices):
        REDEEMED = "redeemed", _("used")
        ROLLED_BACK = "rolled_back", _("rolled back")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "rdm"), editable=False
    )
    claim = models.ForeignKey(
        "benefits.Claim",
        on_delete=models.PROTECT,  # A use is on record for good.
        related_name="redemptions",
    )
    partner = models.ForeignKey(
        "partners.Partner", on_delete=models.PROTECT, null=True, related_name="+"
    )
    livemode = models.BooleanField(default=True)
    external_id = models.CharField(_("reference"), max_length=64, null=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.REDEEMED)
    order_reference = models.CharField(_("order"), max_length=64, blank=True, default="")
    order_amount = models.PositiveBigIntegerField(_("order amount"), null=True)
    order_currency = models.CharField(max_length=3, blank=True, default="")
    storefront = models.CharField(max_length=3, blank=True, default="")
    # What the use took off the order, and how much of that was given back since.
    discount = models.PositiveBigIntegerField(_("discount"), null=True)
    discount_back = models.PositiveBigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True, default="")
    actor = models.CharField(max_length=80)
    redeemed_at = models.DateTimeField()
    rolled_back_at = models.DateTimeField(null=True)
    rollback_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "livemode", "external_id"],
                name="benefits_redemption_reference_once",
                condition=models.Q(external_id__isnull=False),
            ),
            # A whole use stands alone; parts of a value are counted by the service under the
            # claim's lock and by an invariant.
            models.UniqueConstraint(
                fields=["claim"],
                name="benefits_redemption_whole_once",
                condition=models.Q(status="redeemed", discount__isnull=True),
            ),
            models.CheckConstraint(
                condition=models.Q(discount__isnull=True, discount_back=0)
                | models.Q(discount_back__lte=models.F("discount")),
                name="benefits_redemption_back_within",
            ),
            models.CheckConstraint(
                condition=models.Q(status="rolled_back", rolled_back_at__isnull=False)
                | models.Q(status="redeemed", rolled_back_at__isnull=True),
                name="benefits_redemption_rolled_back_at",
            ),
        ]
        indexes = [
            # The uses of one claim, and what is left of its value.
            models.Index(fields=["claim", "id"], name="benefits_redemption_of_claim"),
            # A partner's own list, newest first.
            models.Index(fields=["partner", "-id"], name="benefits_redemption_of_partner"),
        ]

    def __str__(self) -> str:
        return self.public_id
