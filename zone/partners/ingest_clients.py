"""Who may hand in a wallet's bills: the wallet core, known by its client id and its public keys."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.partners.wallet_signatures import BadKey, load_public_key


def validate_public_key(value: str) -> None:
    try:
        load_public_key(value)
    except BadKey as error:
        raise ValidationError(_("Needs an RSA public key of at least 2048 bits.")) from error


class IngestClient(models.Model):
    """One version of one client's public key. A new key is a new row; the old one is closed after.

    A client speaks for one wallet. Its private key never leaves the wallet.
    """

    client_id = models.CharField(_("client id"), max_length=64)
    wallet_code = models.CharField(_("wallet"), max_length=24)
    key_version = models.PositiveSmallIntegerField(_("key version"), default=1)
    public_key = models.TextField(
        _("public key"), max_length=2000, validators=[validate_public_key]
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("ingest client")
        verbose_name_plural = _("ingest clients")
        constraints = [
            models.UniqueConstraint(
                fields=["client_id", "key_version"], name="partners_ingestclient_version_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} key {self.key_version}"
