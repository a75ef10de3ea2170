from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from credits.models.adjustment import AdjustRequest
from zone.core.ids import new_public_id, uuid7


class AdjustBatch(models.Model):
    """A file of corrections: read and counted first, then applied row by row, once each, or never.

    The row is its own message: a worker takes what is `running`. A batch that undoes another names
    it in `reverses`, and needs the same two people.
    """

    class Status(models.TextChoices):
        PREVIEW = "preview", _("to be decided")
        RUNNING = "running", _("being applied")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "adb"), editable=False
    )
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.PREVIEW)
    file_name = models.CharField(_("file"), max_length=120, blank=True)
    file_hash = models.BinaryField(max_length=32, null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=12, choices=AdjustRequest.Reason)
    note = models.TextField(_("note"), max_length=1000)
    reverses = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="reversed_by",
        verbose_name=_("undoes"),
    )
    row_count = models.PositiveIntegerField(_("rows"), default=0)
    fault_count = models.PositiveIntegerField(_("faulty rows"), default=0)
    given = models.PositiveBigIntegerField(_("credits given"), default=0)
    taken = models.PositiveBigIntegerField(_("credits taken"), default=0)
    applied_count = models.PositiveIntegerField(_("applied"), default=0)
    refused_count = models.PositiveIntegerField(_("refused by the ledger"), default=0)
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
    limit_used = models.PositiveIntegerField(_("within a limit of"), null=True)
    created_at = models.DateTimeField(_("asked"))
    expires_at = models.DateTimeField(_("good until"))
    decided_at = models.DateTimeField(_("decided"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("adjustment file")
        verbose_name_plural = _("adjustment files")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(checker=F("maker")), name="credits_adjustbatch_two_people"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["preview", "refused"])
                | Q(checker__isnull=False)
                | Q(limit_used__gte=F("given") + F("taken")),
                name="credits_adjustbatch_entitled",
            ),
            models.CheckConstraint(
                condition=Q(status="preview", decided_at__isnull=True)
                | (~Q(status="preview") & Q(decided_at__isnull=False)),
                name="credits_adjustbatch_decided",
            ),
            models.CheckConstraint(condition=~Q(note=""), name="credits_adjustbatch_note"),
            # The same file once, unless it was refused.
            models.UniqueConstraint(
                fields=["file_hash"],
                condition=~Q(status="refused") & Q(file_hash__isnull=False),
                name="credits_adjustbatch_file_once",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def moved(self) -> int:
        """What counts against a limit: both directions."""
        return self.given + self.taken

    @property
    def percent(self) -> int:
        sound = self.row_count - self.fault_count
        return 100 * (self.applied_count + self.refused_count) // sound if sound else 0


class AdjustRow(models.Model):
    """One line of such a file, and what became of it."""

    class Status(models.TextChoices):
        SOUND = "sound", _("waiting")
        FAULTY = "faulty", _("faulty")
        APPLIED = "applied", _("applied")
        REFUSED = "refused", _("refused by the ledger")

    batch = models.ForeignKey(AdjustBatch, on_delete=models.PROTECT, related_name="rows")
    line = models.PositiveIntegerField(_("line"))
    given_member = models.CharField(_("as written"), max_length=64, blank=True)
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, null=True, related_name="+"
    )
    amount = models.IntegerField(_("credits"), null=True)
    # The ledger's operation: whoever applies it, however often, it is posted once.
    op_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=7, choices=Status)
    fault = models.CharField(_("why not"), max_length=40, blank=True, default="")

    class Meta:
        verbose_name = _("line of an adjustment file")
        verbose_name_plural = _("lines of adjustment files")
        ordering = ["batch", "line"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="credits_adjustrow_line"),
            models.UniqueConstraint(
                fields=["batch", "member"],
                condition=~Q(status="faulty"),
                name="credits_adjustrow_member_once",
            ),
            models.CheckConstraint(
                condition=Q(status="faulty")
                | (Q(member__isnull=False, amount__isnull=False) & ~Q(amount=0)),
                name="credits_adjustrow_sound",
            ),
        ]
        indexes = [
            # The worker: what of a batch still waits, members rising.
            models.Index(
                fields=["batch", "member"],
                name="credits_adjustrow_waiting",
                condition=Q(status="sound"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.line}"
