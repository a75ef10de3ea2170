from django.db import models
from django.utils.translation import gettext_lazy as _


class ProviderEnding(models.Model):
    """What we took away and its provider still keeps, until it has ended there too.

    The row is its own message: it is due at `next_attempt_at`, null once it is settled.
    """

    claim = models.OneToOneField(
        "benefits.Claim", on_delete=models.PROTECT, related_name="provider_ending"
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    outcome = models.CharField(_("what became of it"), max_length=40, blank=True, default="")
    created_at = models.DateTimeField(_("created"))
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)

    class Meta:
        verbose_name = _("ending at a provider")
        verbose_name_plural = _("endings at providers")
        ordering = ["-created_at", "-pk"]
        indexes = [
            # The drain: what is due, oldest first.
            models.Index(
                fields=["next_attempt_at"],
                name="benefits_providerending_due",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.claim_id)
