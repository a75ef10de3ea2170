from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class Event(models.Model):
    """One change a partner may hear of, written in the same commit as the change.

    `sequence` rises by one per object, so a receiver keeps the highest. `transaction_number` is
    the number of the writing transaction: reading in its order, and only below the oldest one
    still running, never skips an event that commits late
    (https://www.postgresql.org/docs/current/functions-info.html, pg_snapshot_xmin).
    """

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "evt"), editable=False
    )
    partner = models.ForeignKey("partners.Partner", on_delete=models.PROTECT, related_name="events")
    livemode = models.BooleanField()
    type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    sequence = models.PositiveIntegerField()
    data = models.JSONField()
    previous = models.JSONField(default=dict)
    api_version = models.CharField(max_length=10)
    transaction_number = models.BigIntegerField()
    occurred_at = models.DateTimeField()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "livemode", "object_id", "sequence"],
                name="partners_event_sequence",
            ),
        ]
        indexes = [
            # The event list of a partner and mode, oldest first.
            models.Index(
                fields=["partner", "livemode", "transaction_number", "id"],
                name="partners_event_list",
            ),
            # The sweep deletes what is older than 30 days.
            models.Index(fields=["occurred_at"], name="partners_event_age"),
        ]

    def __str__(self) -> str:
        return self.public_id
