from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class CodeReport(models.Model):
    """Somebody says that a code they were shown does not work. One for each claim."""

    class Reason(models.TextChoices):
        INVALID = "invalid", _("Apple or the shop says it is not valid")
        USED = "used", _("it says somebody has used it")
        REGION = "region", _("it says it is for another country or region")
        OTHER = "other", _("something else")

    class State(models.TextChoices):
        OPEN = "open", _("to look at")
        REPLACED = "replaced", _("replaced")
        REFUSED = "refused", _("refused")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "rpt"), editable=False
    )
    claim = models.OneToOneField(
        "benefits.Claim", on_delete=models.PROTECT, related_name="code_report"
    )
    batch = models.ForeignKey(
        "benefits.CodeBatch", on_delete=models.PROTECT, related_name="code_reports"
    )
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    replacement = models.OneToOneField(
        "benefits.Claim", on_delete=models.PROTECT, null=True, related_name="+"
    )
    actor = models.CharField(_("reported by"), max_length=80)
    created_at = models.DateTimeField(_("reported"))
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True, default="")
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("code reported bad")
        verbose_name_plural = _("codes reported bad")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="replaced", replacement__isnull=False)
                | (~models.Q(state="replaced") & models.Q(replacement__isnull=True)),
                name="benefits_codereport_replaced",
            ),
        ]
        indexes = [
            # How often a member has reported, and how many codes of a batch were.
            models.Index(fields=["member", "created_at"], name="benefits_codereport_of_member"),
            models.Index(fields=["batch", "created_at"], name="benefits_codereport_of_batch"),
        ]

    def __str__(self) -> str:
        return self.public_id
