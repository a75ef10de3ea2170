from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class PartnerMember(models.Model):
    """A member as one partner knows them: under an id that no other partner has ever seen.

    Two partners cannot join their records by it, and it says nothing about the wallet.
    """

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "mbr"), editable=False
    )
    partner = models.ForeignKey("partners.Partner", on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(
        "members.Member", on_delete=models.CASCADE, related_name="partner_ids"
    )
    # The wallet's mode, copied so that the partner's own reference is unique within it.
    livemode = models.BooleanField()
    external_id = models.CharField(_("partner's reference"), max_length=64, null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("member of a partner")
        verbose_name_plural = _("members of partners")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "member"], name="members_partnermember_once"
            ),
            models.UniqueConstraint(
                fields=["partner", "livemode", "external_id"],
                condition=models.Q(external_id__isnull=False),
                name="members_partnermember_reference_once",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
