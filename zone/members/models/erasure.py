from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Erasure(models.Model):
    """A wish to be forgotten: it cools off, then each room forgets on its own, then it is done.

    The row is its own message: a room that is not in `rooms_done` has something to do. It stays
    for good, without anything personal, and is what a restored backup is cleaned by.
    """

    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,  # The row of the member stays, as a pseudonym.
        related_name="erasures",
    )
    requested_at = models.DateTimeField(_("asked"))
    # "member", "operator:<name>" or "partner:<slug>".
    requested_by = models.CharField(_("by"), max_length=150)
    due_at = models.DateTimeField(_("due"))
    canceled_at = models.DateTimeField(_("called off"), null=True)
    # When our own room forgot, and who may see the member ended with it.
    begun_at = models.DateTimeField(_("begun"), null=True)
    rooms_done = ArrayField(models.CharField(max_length=20), default=list)
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-pk"]
        constraints = [
            # One wish at a time, and never again after it was fulfilled.
            models.UniqueConstraint(
                fields=["member"],
                condition=models.Q(canceled_at__isnull=True),
                name="members_erasure_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(canceled_at__isnull=True) | models.Q(begun_at__isnull=True),
                name="members_erasure_no_way_back",
            ),
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True) | models.Q(begun_at__isnull=False),
                name="members_erasure_begun_first",
            ),
        ]
        indexes = [
            # What is cooling off, and what rooms still have to forget.
            models.Index(
                fields=["due_at"],
                name="members_erasure_open",
                condition=models.Q(canceled_at__isnull=True, done_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"
