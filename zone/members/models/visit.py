from django.db import models
from django.utils.translation import gettext_lazy as _


class WalletVisit(models.Model):
    """One trip of a browser to a wallet and back.

    The `state` that travels with it is good once, for ten minutes, and only in the browser that
    set out (RFC 6749 section 10.12); the row keeps hashes of both.
    """

    class Purpose(models.TextChoices):
        SIGN_IN = "sign_in", _("sign in")
        BIND = "bind", _("bind")

    state_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    browser_hash = models.BinaryField(max_length=32, editable=False)
    purpose = models.CharField(max_length=8, choices=Purpose)
    wallet = models.ForeignKey("members.Wallet", on_delete=models.PROTECT, related_name="+")
    # Who set out to bind; null for a sign-in.
    member = models.ForeignKey(
        "members.Member", on_delete=models.CASCADE, null=True, related_name="+"
    )
    binding = models.ForeignKey(
        "members.Binding", on_delete=models.CASCADE, null=True, related_name="+"
    )
    next_path = models.CharField(max_length=500, blank=True)
    # What was agreed to before leaving; becomes consent rows once we know who agreed.
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("wallet visit")
        verbose_name_plural = _("wallet visits")
        indexes = [
            # Old visits are swept away.
            models.Index(fields=["expires_at"], name="members_walletvisit_end"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.wallet_id}"
