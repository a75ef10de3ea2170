from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from zone.core.ids import uuid7


class AdjustRequest(models.Model):
    """A correction of one member's balance that somebody asks for; applied once, or never."""

    class Reason(models.TextChoices):
        GOODWILL = "goodwill", _("goodwill")
        MISSING = "missing", _("credits that were missing")
        MISTAKE = "mistake", _("our mistake")
        ABUSE = "abuse", _("abuse")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        APPLIED = "applied", _("applied")
        REFUSED = "refused", _("refused")

    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    amount = models.IntegerField(_("credits"), help_text=_("Below zero takes credits away."))
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    note = models.TextField(_("note"), max_length=1000)
    # The ledger's operation: whoever applies it, it is posted once.
    op_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.WAITING)
    # Protected, both: who moved value stays on record.
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("asked by"),
    )
    checker = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        verbose_name=_("approved by"),
    )
    # The maker's limit when it was applied without a second person.
    limit_used = models.PositiveIntegerField(_("within a limit of"), null=True)
    created_at = models.DateTimeField(_("asked"))
    expires_at = models.DateTimeField(_("good until"))
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        ordering = ["-pk"]
        permissions = [("approve_adjustrequest", "Can approve adjustments of others")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(checker=F("maker")), name="credits_adjustrequest_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(amount=0) & ~Q(note=""), name="credits_adjustrequest_sound"
            ),
            models.CheckConstraint(
                condition=~Q(status="applied")
                | Q(checker__isnull=False)
                | Q(amount__lte=F("limit_used"), amount__gte=-F("limit_used")),
                name="credits_adjustrequest_entitled",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_at__isnull=True)
                | (~Q(status="waiting") & Q(decided_at__isnull=False)),
                name="credits_adjustrequest_decided",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+d}, {self.get_reason_display()}"
