from django.db import models
from django.utils.translation import gettext_lazy as _


class ProviderStatement(models.Model):
    """A provider's own list of what it issued, as fetched at one moment."""

    provider = models.ForeignKey(
        "benefits.ProviderConfig", on_delete=models.PROTECT, related_name="statements"
    )
    # Orders settled before this moment are in the list; later ones may be.
    covers_until = models.DateTimeField(_("covers until"))
    line_count = models.PositiveIntegerField(_("orders"), default=0)
    fetched_at = models.DateTimeField(_("fetched"))

    class Meta:
        verbose_name = _("provider statement")
        verbose_name_plural = _("provider statements")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.covers_until:%Y-%m-%d %H:%M}"


class ProviderStatementLine(models.Model):
    """One order as the provider's newest statement has it. Codes are kept as their index alone.

    Of a wallet, which gives no list: a voucher as the wallet spoke of it when it was last asked.
    """

    provider = models.ForeignKey(
        "benefits.ProviderConfig", on_delete=models.PROTECT, related_name="statement_lines"
    )
    claim_public_id = models.CharField(max_length=30)
    status = models.CharField(max_length=10)
    reference = models.CharField(max_length=80, blank=True)
    code_index = models.BinaryField(max_length=32, null=True, editable=False)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("line of a provider statement")
        verbose_name_plural = _("lines of provider statements")
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "claim_public_id"], name="benefits_statementline_claim"
            ),
        ]

    def __str__(self) -> str:
        return self.claim_public_id
