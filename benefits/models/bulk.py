from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id, uuid7


class BulkJob(models.Model):
    """One verb for many: grants to a list of members, or claims taken away and given back.

    Each member or claim is a row of its own, and the row is the message: a worker that dies leaves
    rows waiting, and a row that is done is never done again.
    """

    class Verb(models.TextChoices):
        GRANT = "grant", _("grant")
        REVOKE = "revoke", _("take away")
        RESTORE = "restore", _("give back")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        CANCELED = "canceled", _("canceled")
        DONE = "done", _("done")

    OPEN_STATES = (State.RUNNING, State.PAUSED)

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "job"), editable=False
    )
    verb = models.CharField(_("verb"), max_length=8, choices=Verb)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RUNNING)
    release = models.ForeignKey(
        "benefits.Release", on_delete=models.PROTECT, null=True, related_name="bulk_jobs"
    )
    # How its rows were chosen, in words an operator reads back: a list's code, a file's name.
    source = models.CharField(_("source"), max_length=200)
    # What the verb needs beside its row: a reason, a note, whether credits go back.
    options = models.JSONField(default=dict)
    total = models.PositiveIntegerField(_("rows"), default=0)
    actor = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("bulk job")
        verbose_name_plural = _("bulk jobs")
        ordering = ["-id"]
        permissions = [("run_bulkjob", "Can start, pause and cancel bulk jobs")]

    def __str__(self) -> str:
        return self.public_id


class BulkRow(models.Model):
    """One member or one claim of a bulk job, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        CANCELED = "canceled", _("canceled")

    job = models.ForeignKey(BulkJob, on_delete=models.PROTECT, related_name="rows")
    number = models.PositiveIntegerField()  # The line of the file, or the place in the list.
    target = models.CharField(max_length=64)  # As it was given: a member's id, or a claim's.
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, null=True)
    claim = models.ForeignKey("benefits.Claim", on_delete=models.PROTECT, null=True)
    # Made with the row and kept through retries, so that a row grants once.
    op_id = models.UUIDField(default=uuid7)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=40, blank=True, default="")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("row of a bulk job")
        verbose_name_plural = _("rows of a bulk job")
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="benefits_bulkrow_number"),
            # A member who stands twice in a file is granted once.
            models.UniqueConstraint(
                fields=["job", "target"],
                name="benefits_bulkrow_target_once",
                condition=models.Q(member__isnull=False) | models.Q(claim__isnull=False),
            ),
        ]
        indexes = [
            # What a worker takes next.
            models.Index(
                fields=["job", "id"],
                name="benefits_bulkrow_waiting",
                condition=models.Q(state="waiting"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.state}"
