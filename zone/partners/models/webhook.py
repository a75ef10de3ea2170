"""Where partners listen, and what was sent there."""

from datetime import datetime
from functools import partial

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id
from zone.partners.versions import CURRENT_VERSION


class WebhookEndpoint(models.Model):
    """An address of a partner that is told of events, in one mode, as it asked to be.

    What is sent there is signed with `secret`; while `previous_secret_until` lies ahead, with the
    one before as well, so that a receiver changes over without a gap. `failing_since` is the first
    failure after the last success. Nothing is planned for one that is not enabled, and what was
    planned before waits.
    """

    class Status(models.TextChoices):
        ENABLED = "enabled", _("enabled")
        DISABLED = "disabled", _("disabled")
        PAUSED = "paused", _("paused")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "whe"), editable=False
    )
    partner = models.ForeignKey(
        "partners.Partner", on_delete=models.PROTECT, related_name="webhook_endpoints"
    )
    livemode = models.BooleanField(_("live mode"))
    url = models.CharField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=200, blank=True)
    event_types = ArrayField(models.CharField(max_length=40), verbose_name=_("event types"))
    api_version = models.CharField(_("version"), max_length=10, default=CURRENT_VERSION)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ENABLED)
    status_reason = models.CharField(_("reason"), max_length=40, blank=True)
    secret_sealed = models.BinaryField()
    previous_secret_sealed = models.BinaryField(null=True)
    previous_secret_until = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(_("last success"), null=True)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    # One that fails is left alone for a moment, so that it keeps no worker from the others.
    resting_until = models.DateTimeField(null=True)
    # An address that we paused: since when, and when the partner's contact was written to.
    paused_at = models.DateTimeField(_("paused at"), null=True)
    contact_told_at = models.DateTimeField(_("contact told at"), null=True)
    created_at = models.DateTimeField(_("created at"))
    # Kept as long as its deliveries are; without a secret, and nobody's to read.
    deleted_at = models.DateTimeField(_("deleted at"), null=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        indexes = [
            # Each new event is matched against those of its partner.
            models.Index(
                fields=["partner", "livemode"],
                condition=models.Q(deleted_at=None),
                name="partners_endpoint_open",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_enabled(self) -> bool:
        return self.status == self.Status.ENABLED and self.deleted_at is None


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint: a row that waits, is leased, and ends.

    `attempts` lists each try: `at`, `http_status` or `fault`, `milliseconds`, the first 1,024
    letters of the `answer`, and whether it was a `replay`. `tries` counts those of the present run:
    to send it again starts a new one.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "whd"), editable=False
    )
    # The endpoint's own, for a list that begins with them.
    partner = models.ForeignKey(
        "partners.Partner", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    livemode = models.BooleanField(_("live mode"))
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(
        "partners.Event", on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    is_replay = models.BooleanField(_("sent again"), default=False)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    due_at = models.DateTimeField(_("next try"), null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.JSONField(_("attempts"), default=list)
    # The event's own instant: what both are forgotten by.
    occurred_at = models.DateTimeField(_("event at"))
    created_at = models.DateTimeField(_("planned at"))

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="partners_delivery_once"),
            models.CheckConstraint(
                condition=models.Q(state="pending", due_at__isnull=False)
                | (~models.Q(state="pending") & models.Q(due_at=None, leased_until=None)),
                name="partners_delivery_waits_or_ended",
            ),
        ]
        indexes = [
            # What is due at an endpoint, oldest first; and what is on its way there.
            models.Index(
                fields=["endpoint", "due_at"],
                condition=models.Q(state="pending"),
                name="partners_delivery_due",
            ),
            # The lists, newest first: of a partner and mode, of an endpoint, of one state there.
            models.Index(fields=["partner", "livemode", "-id"], name="partners_delivery_own"),
            models.Index(fields=["endpoint", "-id"], name="partners_delivery_list"),
            models.Index(fields=["endpoint", "state", "-id"], name="partners_delivery_states"),
            models.Index(fields=["occurred_at"], name="partners_delivery_age"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def next_attempt_at(self) -> datetime | None:
        """When it is tried next; None once it ended."""
        return self.due_at
