"""What the sandbox wallet knows. Ids are kept as carefully as the real ones."""

from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class SandboxAccount(models.Model):
    """A test person's account in one sandbox wallet."""

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "sbx"), editable=False
    )
    wallet_code = models.CharField(max_length=24)
    user_index = models.BinaryField(max_length=32, editable=False)
    user_sealed = models.BinaryField(max_length=400, editable=False)
    last_four = models.CharField(max_length=4)
    display_name = models.CharField(max_length=60)
    storefront = models.CharField(max_length=3)
    language = models.CharField(max_length=10)
    is_adult = models.BooleanField(default=True)
    # What Apple's side answers when the wallet asks whether the person may unbind.
    allows_unbinding = models.BooleanField(default=True)
    # What makes this person worth meeting; the page of test people shows them first.
    note = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("sandbox account")
        verbose_name_plural = _("sandbox accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["wallet_code", "user_index"], name="sandbox_account_once"
            ),
        ]
        indexes = [
            # The page of test people lists a wallet's newest first.
            models.Index(fields=["wallet_code", "-id"], name="sandbox_account_newest"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def account_masked(self) -> str:
        return f"••••{self.last_four}"


class SandboxAgreement(models.Model):
    """A test person's consent that Apple may debit the sandbox wallet."""

    class Status(models.TextChoices):
        NORMAL = "NORMAL", _("on")
        STOP = "STOP", _("paused")
        UNSIGN = "UNSIGN", _("off")

    account = models.ForeignKey(SandboxAccount, on_delete=models.CASCADE, related_name="agreements")
    agreement_no = models.CharField(max_length=32, unique=True)
    external_agreement_no = models.CharField(max_length=64, blank=True)
    # The Apple account it pays for, by Apple's own opaque id.
    apple_account = models.CharField(max_length=64, blank=True, default="", db_default="")
    status = models.CharField(max_length=6, choices=Status, default=Status.NORMAL)
    signed_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("sandbox agreement")
        verbose_name_plural = _("sandbox agreements")
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(status__in=["NORMAL", "STOP"]),
                name="sandbox_agreement_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.agreement_no


class SandboxAuthCode(models.Model):
    """A code that trades once for an identity, within ten minutes."""

    code_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    account = models.ForeignKey(SandboxAccount, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("sandbox authorisation code")
        verbose_name_plural = _("sandbox authorisation codes")

    def __str__(self) -> str:
        return f"authorisation code {self.pk}"


class SandboxKey(models.Model):
    """The key pair with which one sandbox wallet signs; the private half is wrapped."""

    wallet_code = models.CharField(max_length=24, primary_key=True)
    private_wrapped = models.BinaryField(max_length=4000, editable=False)
    public_pem = models.TextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("sandbox key")
        verbose_name_plural = _("sandbox keys")

    def __str__(self) -> str:
        return self.wallet_code
