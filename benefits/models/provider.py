from django.db import models
from django.utils.translation import gettext_lazy as _


class ProviderConfig(models.Model):
    """Somebody who issues a benefit at claim time: where to ask, with which secret, how long."""

    class Kind(models.TextChoices):
        HTTP = "http", _("HTTP issuer")
        SANDBOX = "sandbox", _("sandbox issuer")  # At SANDBOX_ISSUER_URL, never in production.

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.HTTP)
    url = models.URLField(_("address"), max_length=300, blank=True)
    # The shared secret that signs our requests, wrapped by a key-encryption key.
    secret_sealed = models.BinaryField(max_length=400, editable=False, default=b"")
    timeout_ms = models.PositiveIntegerField(_("timeout, ms"), default=3000)
    attempts_max = models.PositiveSmallIntegerField(_("attempts at most"), default=12)
    allows_return = models.BooleanField(_("takes back"), default=False, db_default=False)
    is_active = models.BooleanField(_("in use"), default=True)
    livemode = models.BooleanField(_("live mode"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")

    def __str__(self) -> str:
        return self.code
