from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class Binding(models.Model):
    """A member's standing consent that Apple may debit the wallet. Never reused once it ended.

    It is not a subscription: those live and end at Apple.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        UNBINDING = "unbinding", _("unbinding")
        UNBOUND = "unbound", _("unbound")
        EXPIRED = "expired", _("expired")
        FAILED = "failed", _("failed")

    OPEN_STATUSES = (Status.PENDING, Status.ACTIVE, Status.SUSPENDED, Status.UNBINDING)

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "bnd"), editable=False
    )
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="bindings")
    # The wallet's own number for the agreement; null until it is signed.
    agreement_reference = models.CharField(max_length=128, null=True, blank=True)
    account_masked = models.CharField(max_length=40, blank=True)
    # Which Apple account it pays for: a keyed hash of Apple's own id, null where no wallet says it.
    apple_index = models.BinaryField(max_length=32, null=True, editable=False)
    storefront = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    failure_reason = models.CharField(max_length=32, blank=True)
    # The sender's time of the newest applied change: older news is ignored.
    status_occurred_at = models.DateTimeField()
    bound_at = models.DateTimeField(null=True)
    unbound_at = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)
    # When to ask the wallet about this agreement next: soon while its answer is unknown, weekly
    # while it is open, because an agreement that runs out on the wallet's side says nothing.
    next_query_at = models.DateTimeField(null=True)
    query_count = models.PositiveSmallIntegerField(default=0)
    # The status that rooms above have acted upon; where it differs, they have something to do.
    settled_status = models.CharField(max_length=10, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("binding")
        verbose_name_plural = _("bindings")
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=models.Q(status__in=["pending", "active", "suspended", "unbinding"]),
                name="members_binding_one_open",
            ),
            models.UniqueConstraint(
                fields=["agreement_reference"],
                condition=models.Q(agreement_reference__isnull=False),
                name="members_binding_agreement_once",
            ),
        ]
        indexes = [
            # The sweep asks the wallet about these.
            models.Index(
                fields=["next_query_at"],
                name="members_binding_query_due",
                condition=models.Q(next_query_at__isnull=False),
            ),
            # Beginnings and ends that the rooms above have not acted upon.
            models.Index(
                fields=["id"],
                name="members_binding_unsettled",
                condition=models.Q(status__in=["active", "unbound", "expired"])
                & ~models.Q(settled_status=models.F("status")),
            ),
            # Bindings whose validity ends, for the sweep that closes them.
            models.Index(
                fields=["valid_until"],
                name="members_binding_valid_until",
                condition=models.Q(valid_until__isnull=False, status__in=["active", "suspended"]),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_bound(self) -> bool:
        return self.status == self.Status.ACTIVE


class BindingAttempt(models.Model):
    """One try to bind, from the first guide page to success, a cancel, or 30 idle minutes."""

    class Outcome(models.TextChoices):
        OPEN = "open", _("open")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")
        ABANDONED = "abandoned", _("abandoned")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "bat"), editable=False
    )
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="attempts")
    binding = models.ForeignKey(
        Binding, on_delete=models.PROTECT, null=True, related_name="attempts"
    )
    entry = models.CharField(max_length=32, default="direct")
    device_os = models.CharField(max_length=16, blank=True)
    # Where the member was going when binding came between; they get there afterwards.
    next_path = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.OPEN)
    failure_reason = models.CharField(max_length=32, blank=True)
    started_at = models.DateTimeField()
    last_step_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("binding attempt")
        verbose_name_plural = _("binding attempts")
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=models.Q(outcome="open"),
                name="members_bindingattempt_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class BindingStep(models.Model):
    """One event of an attempt: what the member saw or what the wallet answered, and when."""

    attempt = models.ForeignKey(BindingAttempt, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=32)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("binding step")
        verbose_name_plural = _("binding steps")
        indexes = [models.Index(fields=["attempt", "at"], name="members_bindingstep_order")]

    def __str__(self) -> str:
        return self.name
