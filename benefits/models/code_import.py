from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from benefits.models.code import CodeBatch
from zone.core.ids import new_public_id


class CodeImport(models.Model):
    """A file of codes on its way into a release: staged under seal, then taken part by part.

    The row is its own message. Nothing of it is on sale before its last part is taken.
    """

    class State(models.TextChoices):
        STAGING = "staging", _("arriving")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being taken")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "imp"), editable=False
    )
    release = models.ForeignKey(
        "benefits.Release", on_delete=models.PROTECT, related_name="code_imports"
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.STAGING)
    file_name = models.CharField(_("file"), max_length=120, blank=True)
    file_hash = models.BinaryField(max_length=32, null=True, editable=False)
    file_bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    # Every part and every faulty line is sealed with this key; it goes with the last of them.
    key_sealed = models.BinaryField(max_length=100, null=True, editable=False)
    expires_on = models.DateField(_("codes end on"), null=True, blank=True)
    life_days_min = models.PositiveSmallIntegerField(_("guaranteed days"), default=7)
    source = models.CharField(
        _("source"),
        max_length=8,
        choices=CodeBatch.Source,
        default=CodeBatch.Source.FILE,
        db_default=CodeBatch.Source.FILE,
    )
    kept_for = models.CharField(
        _("use"), max_length=12, choices=CodeBatch.KeptFor, blank=True, default="", db_default=""
    )
    part_count = models.PositiveIntegerField(default=0)
    parts_done = models.PositiveIntegerField(default=0)
    header = models.JSONField(default=list)
    # Codes of the release above this slot came with this file or a later one.
    first_slot = models.PositiveIntegerField(null=True)
    row_count = models.PositiveIntegerField(_("rows"), default=0)
    accepted_count = models.PositiveIntegerField(_("taken"), default=0)
    fault_counts = models.JSONField(_("not taken"), default=dict)
    refusal = models.CharField(max_length=200, blank=True, default="")
    actor = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("code import")
        verbose_name_plural = _("code imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.public_id

    @property
    def percent(self) -> int:
        return 100 * self.parts_done // self.part_count if self.part_count else 0


class CodeImportPart(models.Model):
    """Some lines of a staged file, sealed. Deleted in the commit that takes its rows."""

    code_import = models.ForeignKey(CodeImport, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    first_line = models.PositiveIntegerField()
    sealed = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("part of a code import")
        verbose_name_plural = _("parts of code imports")
        constraints = [
            models.UniqueConstraint(
                fields=["code_import", "number"], name="benefits_codeimportpart_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code_import_id}: {self.number}"


class CodeImportFault(models.Model):
    """A line that was not taken, and why. What it said is sealed, and forgotten after a month."""

    code_import = models.ForeignKey(CodeImport, on_delete=models.CASCADE, related_name="faults")
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    # The line itself, sealed with its import's key, while somebody may want to correct it.
    sealed = models.BinaryField(null=True, editable=False)

    class Meta:
        verbose_name = _("line not taken")
        verbose_name_plural = _("lines not taken")
        constraints = [
            models.UniqueConstraint(
                fields=["code_import", "line"], name="benefits_codeimportfault_line"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.kind}"
