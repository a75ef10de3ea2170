from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class Trial(models.Model):
    """A free trial that came from a claim: when Apple first charges for it, and what became of it.

    The dates are reckoned from the trial's start until the wallet tells of the subscription; then
    they are the subscription's own. The row is its own message: `next_attempt_at` is the reminder,
    then the first charge, then another look until the outcome is known.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        KEPT = "kept", _("kept")
        LEFT = "left", _("left in time")
        UNSEEN = "unseen", _("no charge seen")

    LEAD_DAYS = (1, 3, 7)

    claim = models.OneToOneField(
        "benefits.Claim",
        on_delete=models.PROTECT,  # Where it came from.
        related_name="trial",
    )
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="trials")
    service = models.CharField(_("service"), max_length=24)
    plan = models.CharField(_("plan"), max_length=120, blank=True)
    starts_at = models.DateTimeField(_("started"))
    first_charge_at = models.DateTimeField(_("first charge"))
    # What the first charge will be, in minor units; null while nobody has told.
    price = models.BigIntegerField(_("price"), null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    lead_days = models.PositiveSmallIntegerField(_("reminder, days before"), default=3)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RUNNING)
    # The subscription the wallet told of, once it has.
    subscription = models.ForeignKey(
        "history.Subscription", on_delete=models.PROTECT, null=True, related_name="+"
    )
    is_canceled = models.BooleanField(_("cancelled at Apple"), default=False)
    next_attempt_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True)
    closed_at = models.DateTimeField(_("closed"), null=True)
    # The charge that says "kept"; its table is partitioned, so the key stands alone.
    charge_id = models.UUIDField(null=True, editable=False)
    charged = models.BigIntegerField(_("charged"), null=True)

    class Meta:
        verbose_name = _("trial")
        verbose_name_plural = _("trials")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lead_days__in=[1, 3, 7]), name="benefits_trial_lead"
            ),
            models.CheckConstraint(
                condition=models.Q(state="running", next_attempt_at__isnull=False)
                | (~models.Q(state="running") & models.Q(next_attempt_at__isnull=True)),
                name="benefits_trial_waits_only_running",
            ),
            models.CheckConstraint(
                condition=models.Q(first_charge_at__gt=models.F("starts_at")),
                name="benefits_trial_has_length",
            ),
        ]
        indexes = [
            # The worker: what is due, oldest first.
            models.Index(
                fields=["next_attempt_at"],
                name="benefits_trial_due",
                condition=models.Q(state="running"),
            ),
            # A member's trials, newest first.
            models.Index(fields=["member", "-id"], name="benefits_trial_of_member"),
        ]

    def __str__(self) -> str:
        return f"trial {self.pk}"

    def is_over_at(self, now: datetime) -> bool:
        return self.state != self.State.RUNNING or self.first_charge_at <= now
