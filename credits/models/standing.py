"""Why an account stands still: an operator froze it, or its member is no longer linked."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Freeze(models.Model):
    """A member who may read and do nothing else, why, and who said so; kept after it ended."""

    class Reason(models.TextChoices):
        FRAUD = "fraud", _("suspected fraud")
        DISPUTE = "dispute", _("dispute with the wallet")
        REQUEST = "request", _("the member asked")
        OTHER = "other", _("other")

    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    note = models.TextField(_("note"), max_length=1000)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("frozen by"),
    )
    frozen_at = models.DateTimeField(_("frozen"))
    thaw_note = models.TextField(_("why it ends"), max_length=1000, blank=True)
    thawed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("thawed by"),
    )
    thawed_at = models.DateTimeField(_("thawed"), null=True)

    class Meta:
        verbose_name = _("freeze")
        verbose_name_plural = _("freezes")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=models.Q(thawed_at__isnull=True),
                name="credits_freeze_one_open",
            ),
            models.CheckConstraint(condition=~models.Q(note=""), name="credits_freeze_has_note"),
            # Nobody lets go without a name and a reason.
            models.CheckConstraint(
                condition=models.Q(thawed_at__isnull=True, thawed_by__isnull=True)
                | (
                    models.Q(thawed_at__isnull=False, thawed_by__isnull=False)
                    & ~models.Q(thaw_note="")
                ),
                name="credits_freeze_thawed_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"freeze {self.pk}"


class KeptAccount(models.Model):
    """The credits of a member whose link ended: frozen until they link again, or closed after that.

    Buckets end meanwhile as they always do.
    """

    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    unlinked_at = models.DateTimeField(_("unlinked"))
    closes_at = models.DateTimeField(_("kept until"))
    # What stood there when it was frozen, and what was given up when it was closed.
    available = models.PositiveIntegerField(_("credits kept"))
    warned_at = models.DateTimeField(_("warned"), null=True)
    restored_at = models.DateTimeField(_("linked again"), null=True)
    closed_at = models.DateTimeField(_("closed"), null=True)
    given_up = models.PositiveIntegerField(_("credits given up"), default=0)
    next_attempt_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("kept account")
        verbose_name_plural = _("kept accounts")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=models.Q(restored_at__isnull=True),
                name="credits_keptaccount_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(next_attempt_at__isnull=True)
                | models.Q(restored_at__isnull=True, closed_at__isnull=True),
                name="credits_keptaccount_waits_only_open",
            ),
        ]
        indexes = [
            # What is to be warned of or closed, soonest first.
            models.Index(
                fields=["next_attempt_at"],
                name="credits_keptaccount_due",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"kept account {self.pk}"
