from django.db import models
from django.utils.translation import gettext_lazy as _


class Alarm(models.Model):
    """Something an operator must look at. One open row per kind and subject, however often."""

    class Kind(models.TextChoices):
        PROVIDER_SILENT = "provider_silent", _("a provider does not say what became of an order")
        PROVIDER_CODE = "provider_code", _("a provider gave another code than before")
        PROVIDER_STATEMENT = "provider_statement", _("a provider's statement differs from ours")
        WORKER_LOST = "worker_lost", _("workers die over a claim")
        POOL_LOW = "pool_low", _("codes are running out")
        POOL_ENDING = "pool_ending", _("codes end before they are given out")
        CODE_REPORTED = "code_reported", _("a member says a code does not work")
        BATCH_ASIDE = "batch_aside", _("a batch of codes was set aside")
        CODE_UNREADABLE = "code_unreadable", _("a code does not open")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    subject = models.CharField(_("subject"), max_length=64)  # The public id of what it is about.
    facts = models.JSONField(default=dict)
    count = models.PositiveIntegerField(_("times"), default=1)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    settled_at = models.DateTimeField(_("settled"), null=True)
    settled_by = models.CharField(max_length=80, blank=True, default="")
    # Telling it outside: which piece of news this is, which was heard last, and when to try next.
    tell_number = models.PositiveIntegerField(default=0, db_default=0)
    told_number = models.PositiveIntegerField(default=0, db_default=0)
    told_at = models.DateTimeField(_("told outside"), null=True)
    tell_at = models.DateTimeField(_("told again"), null=True)
    tell_attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    tell_fault = models.CharField(
        _("why not told"), max_length=80, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                name="benefits_alarm_one_open",
                condition=models.Q(settled_at__isnull=True),
            ),
        ]
        indexes = [
            # The drain of `alarm_hook`.
            models.Index(
                fields=["tell_at"],
                name="benefits_alarm_to_tell",
                condition=models.Q(tell_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"
