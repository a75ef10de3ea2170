from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class ProviderConfig(models.Model):
    """Somebody who issues a benefit at claim time: where to ask, with which secret, how long."""

    class Kind(models.TextChoices):
        HTTP = "http", _("HTTP issuer")
        WALLET = "wallet", _("wallet that keeps vouchers")
        # At SANDBOX_ISSUER_URL, never in production.
        SANDBOX = "sandbox", _("sandbox issuer")
        SANDBOX_WALLET = "test_wallet", _("sandbox wallet that keeps vouchers")

    # Those that keep vouchers for their people, instead of handing out codes.
    WALLET_KINDS = (Kind.WALLET, Kind.SANDBOX_WALLET)

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.HTTP)
    url = models.URLField(_("address"), max_length=300, blank=True)
    # What signs our requests, wrapped by a key-encryption key: a shared secret, or our private key.
    secret_sealed = models.BinaryField(max_length=4000, editable=False, default=b"")
    # A wallet's gateway only: what it calls us, and the key that its answers are signed with.
    app_id = models.CharField(
        _("our number there"), max_length=64, blank=True, default="", db_default=""
    )
    peer_key = models.TextField(_("its public key"), blank=True, default="", db_default="")
    timeout_ms = models.PositiveIntegerField(_("timeout, ms"), default=3000)
    attempts_max = models.PositiveSmallIntegerField(_("attempts at most"), default=12)
    questions_per_second = models.PositiveSmallIntegerField(
        _("questions a second at most"),
        default=20,
        db_default=20,
        validators=[MinValueValidator(1)],
        help_text=_("How often we may ask about vouchers that it keeps."),
    )
    allows_return = models.BooleanField(_("takes back"), default=False, db_default=False)
    is_active = models.BooleanField(_("in use"), default=True)
    livemode = models.BooleanField(_("live mode"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")

    def __str__(self) -> str:
        return self.code

    @property
    def is_wallet(self) -> bool:
        """Whether it keeps vouchers for its people, instead of handing out codes."""
        return self.kind in self.WALLET_KINDS
