from django.db import models
from django.utils.translation import gettext_lazy as _


class AppleAccountFirst(models.Model):
    """The first of something that an Apple account brought somebody: it brings it nobody else.

    Credits belong to a wallet's member, and stay with them whichever Apple account they link. What is
    given for a beginning is given once for a member, and once for an Apple account: linking it to
    one wallet after the other begins nothing. The row outlives the link and the member, as a keyed
    hash that leads to nobody, so that being forgotten and coming back begins nothing either.
    """

    class What(models.TextChoices):
        LINK = "link", _("link")
        PURCHASE = "purchase", _("purchase")

    apple_index = models.BinaryField(max_length=32, editable=False)
    what = models.CharField(max_length=8, choices=What)
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("first of an Apple account")
        verbose_name_plural = _("firsts of Apple accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["apple_index", "what"], name="credits_appleaccountfirst_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.member_id}"
