from functools import partial
from ipaddress import ip_network

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id
from zone.partners import scopes
from zone.partners.versions import CURRENT_VERSION


def validate_network(value: str) -> None:
    """Refuse anything that is not an address range such as 203.0.113.0/24."""
    try:
        ip_network(value)
    except ValueError as error:
        raise ValidationError(_("%(value)s is not a network."), params={"value": value}) from error


class Partner(models.Model):
    """A company that reads or acts through the API: a shop, a content service, a wallet."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")

    # Names the partner in logs, in the audit trail and on the command line.
    slug = models.SlugField(_("short name"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    contact_email = models.EmailField(_("technical contact"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def actor(self) -> str:
        """How the audit trail names this partner."""
        return f"partner:{self.slug}"


class PartnerKey(models.Model):
    """One pair of key id and secret in one mode. The secret is shown once and kept as a hash.

    SHA-256 is enough for it: the secret holds 190 random bits, so there is nothing to guess.
    """

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "key"), editable=False
    )
    partner = models.ForeignKey(
        Partner,
        on_delete=models.PROTECT,  # What a key did stays attributable.
        related_name="keys",
    )
    name = models.CharField(_("name"), max_length=60, blank=True)
    livemode = models.BooleanField(_("live mode"), default=False)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    secret_hint = models.CharField(_("secret ends with"), max_length=4, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=24, choices=scopes.choices), verbose_name=_("scopes")
    )
    # Empty means any address.
    networks = ArrayField(
        models.CharField(max_length=43, validators=[validate_network]),
        verbose_name=_("source networks"),
        default=list,
        blank=True,
    )
    zone_version = models.CharField(_("version"), max_length=10, default=CURRENT_VERSION)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)
    revoked_by = models.CharField(max_length=80, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=80, blank=True, editable=False)
    last_token_at = models.DateTimeField(_("last token at"), null=True, editable=False)

    class Meta:
        verbose_name = _("key")
        verbose_name_plural = _("keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.public_id

    @property
    def mode(self) -> str:
        return "live" if self.livemode else "test"


class AccessToken(models.Model):
    """A bearer token of 15 minutes, kept as a hash, with no more scopes than its key had."""

    key = models.ForeignKey(PartnerKey, on_delete=models.CASCADE, related_name="tokens")
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=24))
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        indexes = [
            # The sweep deletes what expired a day ago.
            models.Index(fields=["expires_at"], name="partners_accesstoken_expiry"),
        ]

    def __str__(self) -> str:
        return f"token {self.pk}"


class PartnerSigningKey(models.Model):
    """A partner's public key for signed requests (RFC 9421), named by `keyid`."""

    class Algorithm(models.TextChoices):
        ED25519 = "ed25519", "ed25519"
        RSA_PSS_SHA512 = "rsa-pss-sha512", "rsa-pss-sha512"

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "spk"), editable=False
    )
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="signing_keys")
    livemode = models.BooleanField(_("live mode"), default=False)
    algorithm = models.CharField(_("algorithm"), max_length=16, choices=Algorithm)
    public_key_pem = models.TextField(_("public key (PEM)"), max_length=4000)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.public_id
